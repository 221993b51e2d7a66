"""The Diffusion Transformer of Peebles and Xie (arXiv:2212.09748), adaLN-Zero variant.

Parameter names are those of the official checkpoints, so that a state dict of this class is a file
that every DiT reader understands. Images and noise are B x C x S x S; the model predicts one value
per input value (no learned variance).
"""

import math
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import nn

FREQUENCIES = 256  # length of the sinusoidal timestep features


@dataclass
class DiTConfig:
    """The shape of a DiT, in the words of config.json."""

    depth: int = 6
    hidden_size: int = 192
    num_heads: int = 3
    patch_size: int = 8
    input_size: int = 64
    in_channels: int = 3
    num_classes: int = 99

    @property
    def shape(self):
        """Of what the model denoises."""
        return (self.in_channels, self.input_size, self.input_size)

    @classmethod
    def from_json(cls, config):
        """Takes the fields that it knows from a parsed config.json."""
        return cls(**{name: config[name] for name in asdict(cls())})


def position_table(width, side):
    """The fixed 2-D sine-cosine table, 1 x side^2 x width: column features, then row features."""

    def features(position):
        rate = 10000.0 ** (-torch.arange(width // 4, dtype=torch.float64) / (width // 4))
        angle = position.flatten()[:, None] * rate
        return torch.cat([angle.sin(), angle.cos()], dim=1)

    index = torch.arange(side, dtype=torch.float64)
    row, column = torch.meshgrid(index, index, indexing="ij")
    return torch.cat([features(column), features(row)], dim=1).float()[None]


def timestep_features(t):
    """Cosines, then sines, of t at 128 geometric frequencies from 1 down to almost 1/10000."""
    half = FREQUENCIES // 2
    rate = torch.exp(-math.log(10000.0) / half * torch.arange(half, device=t.device))
    angle = t.float()[:, None] * rate
    return torch.cat([angle.cos(), angle.sin()], dim=1)


def modulate(x, shift, scale):
    """Layer norm without parameters, then the conditional shift and scale."""
    return F.layer_norm(x, x.shape[-1:], eps=1e-6) * (1 + scale) + shift


class PatchEmbed(nn.Module):
    """Cuts the image into patches and projects each to the model's width."""

    def __init__(self, config):
        super().__init__()
        self.patch = config.patch_size
        self.proj = nn.Conv2d(config.in_channels, config.hidden_size, self.patch, self.patch)

    def forward(self, x):
        # A strided convolution without overlap is one matrix product, which is faster on a CPU.
        b, c, height, width = x.shape
        p = self.patch
        x = x.view(b, c, height // p, p, width // p, p).permute(0, 2, 4, 1, 3, 5)
        x = x.reshape(b, (height // p) * (width // p), c * p * p)
        return F.linear(x, self.proj.weight.flatten(1), self.proj.bias)


class TimestepEmbedder(nn.Module):
    """Timestep to vector."""

    def __init__(self, width):
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(FREQUENCIES, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, t):
        return self.mlp(timestep_features(t))


class LabelEmbedder(nn.Module):
    """Class to vector; the row after the last class is the null class of guidance."""

    def __init__(self, classes, width):
        super().__init__()
        self.embedding_table = nn.Embedding(classes + 1, width)

    def forward(self, y):
        return self.embedding_table(y)


class Attention(nn.Module):
    """Multi-head self-attention with one matrix for queries, keys and values."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        b, tokens, width = x.shape
        qkv = self.qkv(x).view(b, tokens, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        x = F.scaled_dot_product_attention(q, k, v)
        return self.proj(x.transpose(1, 2).reshape(b, tokens, width))


class Mlp(nn.Module):
    """Two layers with tanh GELU between them, four times as wide inside."""

    def __init__(self, width):
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x), approximate="tanh"))


class Block(nn.Module):
    """One transformer block; its six modulation vectors start at zero, so it starts as identity."""

    def __init__(self, width, heads):
        super().__init__()
        self.attn = Attention(width, heads)
        self.mlp = Mlp(width)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, 6 * width))

    def forward(self, x, c):
        shift_a, scale_a, gate_a, shift_m, scale_m, gate_m = (
            self.adaLN_modulation(c)[:, None].chunk(6, dim=2))
        x = x + gate_a * self.attn(modulate(x, shift_a, scale_a))
        return x + gate_m * self.mlp(modulate(x, shift_m, scale_m))


class FinalLayer(nn.Module):
    """Tokens back to patches, values of a patch ordered row, column, channel."""

    def __init__(self, config):
        super().__init__()
        width = config.hidden_size
        self.linear = nn.Linear(width, config.patch_size**2 * config.in_channels)
        self.adaLN_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, 2 * width))

    def forward(self, x, c):
        shift, scale = self.adaLN_modulation(c)[:, None].chunk(2, dim=2)
        return self.linear(modulate(x, shift, scale))


class DiT(nn.Module):
    """The whole model: `model(x, t, y)` with x B x C x S x S, t and y of length B."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        width = config.hidden_size
        self.x_embedder = PatchEmbed(config)
        self.t_embedder = TimestepEmbedder(width)
        self.y_embedder = LabelEmbedder(config.num_classes, width)
        table = position_table(width, config.input_size // config.patch_size)
        self.pos_embed = nn.Parameter(table, requires_grad=False)
        self.blocks = nn.ModuleList(Block(width, config.num_heads) for _ in range(config.depth))
        self.final_layer = FinalLayer(config)
        self.initialize()

    def initialize(self):
        """The paper's initialisation: Xavier, small embeddings, zero gates and a zero output."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        nn.init.xavier_uniform_(self.x_embedder.proj.weight.data.flatten(1))
        nn.init.zeros_(self.x_embedder.proj.bias)
        nn.init.normal_(self.y_embedder.embedding_table.weight, std=0.02)
        for layer in (self.t_embedder.mlp[0], self.t_embedder.mlp[2]):
            nn.init.normal_(layer.weight, std=0.02)
        zero = [block.adaLN_modulation[1] for block in self.blocks]
        for layer in zero + [self.final_layer.adaLN_modulation[1], self.final_layer.linear]:
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x, t, y):
        side, p = self.config.input_size // self.config.patch_size, self.config.patch_size
        c = self.t_embedder(t) + self.y_embedder(y)
        x = self.x_embedder(x) + self.pos_embed
        for block in self.blocks:
            x = block(x, c)
        x = self.final_layer(x, c)
        x = x.view(-1, side, side, p, p, self.config.in_channels).permute(0, 5, 1, 3, 2, 4)
        return x.reshape(-1, self.config.in_channels, side * p, side * p)
