"""The encoder of T5 version 1.1, small enough to be trained with the model that reads it.

The names of the parameters and the arithmetic are those of transformers' T5EncoderModel
(`feed_forward_proj` gated-gelu): relative position bias in the first block, RMS norms, no scaling
of the scores, no biases.
"""

import math
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import nn

from attention import Norm, attend

BUCKETS, FARTHEST = 32, 128
MASKED = -1e4  # a score that no softmax lets through; infinite ones make NaN in compiled softmaxes


@dataclass
class T5Config:
    """The fields of a T5 config.json that an encoder needs."""

    vocab_size: int
    d_model: int = 192
    d_kv: int = 48
    d_ff: int = 512
    num_layers: int = 4
    num_heads: int = 4
    layer_norm_epsilon: float = 1e-6

    def json(self):
        return {"architectures": ["T5EncoderModel"], "model_type": "t5", **asdict(self),
                "feed_forward_proj": "gated-gelu", "dense_act_fn": "gelu_new", "is_gated_act": True,
                "relative_attention_num_buckets": BUCKETS,
                "relative_attention_max_distance": FARTHEST, "is_encoder_decoder": False,
                "use_cache": False, "pad_token_id": 0, "eos_token_id": 1,
                "tie_word_embeddings": False}


def buckets(length):
    """The bucket of every pair of positions, (query, key): see T5's appendix, both directions."""
    distance = torch.arange(length)[None, :] - torch.arange(length)[:, None]  # key - query
    half, exact = BUCKETS // 2, BUCKETS // 4
    size = distance.abs()
    far = exact + (torch.log(size.clamp(min=1).float() / exact) / math.log(FARTHEST / exact)
                   * (half - exact)).long()
    return (distance > 0) * half + torch.where(size < exact, size, far.clamp(max=half - 1))


class SelfAttention(nn.Module):
    def __init__(self, c, first):
        super().__init__()
        self.heads, inner = c.num_heads, c.num_heads * c.d_kv
        self.q, self.k, self.v = (nn.Linear(c.d_model, inner, bias=False) for _ in range(3))
        self.o = nn.Linear(inner, c.d_model, bias=False)
        if first:
            self.relative_attention_bias = nn.Embedding(BUCKETS, c.num_heads)

    def forward(self, x, bias):
        q, k, v = (layer(x).unflatten(-1, (self.heads, -1)) for layer in (self.q, self.k, self.v))
        return self.o(attend(q, k, v, 1.0, bias))


class Attention(nn.Module):
    def __init__(self, c, first):
        super().__init__()
        self.SelfAttention = SelfAttention(c, first)
        self.layer_norm = Norm(c.d_model, c.layer_norm_epsilon)

    def forward(self, x, bias):
        return x + self.SelfAttention(self.layer_norm(x), bias)


class Dense(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.wi_0, self.wi_1 = (nn.Linear(c.d_model, c.d_ff, bias=False) for _ in range(2))
        self.wo = nn.Linear(c.d_ff, c.d_model, bias=False)

    def forward(self, x):
        return self.wo(F.gelu(self.wi_0(x), approximate="tanh") * self.wi_1(x))


class FeedForward(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.DenseReluDense = Dense(c)
        self.layer_norm = Norm(c.d_model, c.layer_norm_epsilon)

    def forward(self, x):
        return x + self.DenseReluDense(self.layer_norm(x))


class Block(nn.Module):
    def __init__(self, c, first):
        super().__init__()
        self.layer = nn.ModuleList([Attention(c, first), FeedForward(c)])

    def forward(self, x, bias):
        return self.layer[1](self.layer[0](x, bias))


class Stack(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.block = nn.ModuleList([Block(c, i == 0) for i in range(c.num_layers)])
        self.final_layer_norm = Norm(c.d_model, c.layer_norm_epsilon)


class T5Encoder(nn.Module):
    """Tokens (n, length) and their mask, true where they are real, to (n, length, d_model)."""

    def __init__(self, config, length):
        super().__init__()
        self.config = config
        self.shared = nn.Embedding(config.vocab_size, config.d_model)
        self.encoder = Stack(config)
        self.register_buffer("buckets", buckets(length), persistent=False)
        self.initialize()

    def initialize(self):
        """T5's own: no scaling of the scores needs small queries."""
        c = self.config
        nn.init.normal_(self.shared.weight, std=1.0)
        for name, p in self.named_parameters():
            if name.endswith("SelfAttention.q.weight"):
                nn.init.normal_(p, std=(c.d_model * c.d_kv) ** -0.5)
            elif name.endswith((".o.weight", ".wo.weight")):
                nn.init.zeros_(p)  # blocks begin as the identity
            elif p.dim() == 2 and "SelfAttention" in name or "wi_" in name:
                nn.init.normal_(p, std=c.d_model ** -0.5)

    def forward(self, tokens, mask):
        first = self.encoder.block[0].layer[0].SelfAttention
        bias = first.relative_attention_bias(self.buckets).permute(2, 0, 1)[None]
        bias = bias.masked_fill(~mask[:, None, None, :], MASKED)
        x = self.shared(tokens)
        for block in self.encoder.block:
            x = block(x, bias)
        return self.encoder.final_layer_norm(x)
