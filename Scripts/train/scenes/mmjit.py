"""MM-JiT, the transformer of MiniT2I (github.com/PeppaKing8/minit2i-jax), at any size.

Two streams, text and image, with weights of their own meet in every block's attention. Nothing
tells the network the time: it reads the noise level off the picture, and predicts the clean one.
The names of the parameters are those of MiniT2I's PyTorch files.
"""

from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import nn

from attention import Norm, attend

THETA = 10000.0


@dataclass
class MMJiTConfig:
    """The fields of MiniT2I's config.json, without those of layers that the network never uses."""

    image_size: int = 64
    patch_size: int = 8
    in_channels: int = 3
    txt_input_size: int = 192
    hidden_size: int = 256
    txt_hidden_size: int = 256
    depth_double: int = 6
    txt_preamble_depth: int = 2
    num_heads: int = 4
    head_dim: int = 64
    mlp_ratio: float = 2.6667
    pca_channels: int = 96
    prompt_length: int = 32

    def json(self, steps):
        return {"_class_name": "MiniT2IMMJiTModel", **asdict(self), "n_T": steps, "prediction": "x",
                "sampler": "euler", "cfg_channels": 3, "cfg_interval": [0.0, 1.0],
                "llm": "text_encoder"}


def angles(positions, width):
    """The rotary angles of `width` features at the positions: (positions, width / 2)."""
    return positions[:, None] * THETA ** (-torch.arange(0, width, 2) / width)


def rotation(a):
    """Cosine and sine of both halves of the features, (1, positions, 1, features)."""
    a = torch.cat([a, a], -1)[None, :, None]
    return torch.stack([a.cos(), a.sin()])


def rotate(x, table):
    first, second = x.chunk(2, -1)
    cos, sin = table.to(x.dtype)
    return x * cos + torch.cat([-second, first], -1) * sin


class SwiGLU(nn.Module):
    def __init__(self, width, ratio):
        super().__init__()
        hidden = (int(width * ratio) + 7) // 8 * 8
        self.w1, self.w3 = (nn.Linear(width, hidden, bias=False) for _ in range(2))
        self.w2 = nn.Linear(hidden, width, bias=False)

    def forward(self, x):
        return self.w2(F.silu(self.w1(x)) * self.w3(x))


class TextBlock(nn.Module):
    """A block of the preamble, on the text alone."""

    def __init__(self, c):
        super().__init__()
        width, self.heads = c.txt_hidden_size, c.num_heads
        self.norm1, self.norm2 = Norm(width), Norm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.attn_proj = nn.Linear(width, width)
        self.q_norm, self.k_norm = Norm(c.head_dim), Norm(c.head_dim)
        self.mlp = SwiGLU(width, c.mlp_ratio)

    def forward(self, text, turn):
        q, k, v = self.qkv(self.norm1(text)).unflatten(-1, (3, self.heads, -1)).unbind(2)
        q, k = rotate(self.q_norm(q), turn), rotate(self.k_norm(k), turn)
        text = text + self.attn_proj(attend(q, k, v, q.shape[-1] ** -0.5))
        return text + self.mlp(self.norm2(text))


class DoubleBlock(nn.Module):
    """Text and image, each with its own weights, in one attention."""

    def __init__(self, c):
        super().__init__()
        width, self.heads = c.hidden_size, c.num_heads
        for stream in ("img", "txt"):
            setattr(self, f"{stream}_norm1", Norm(width))
            setattr(self, f"{stream}_norm2", Norm(width))
            setattr(self, f"{stream}_qkv", nn.Linear(width, 3 * width))
            setattr(self, f"{stream}_attn_proj", nn.Linear(width, width))
            setattr(self, f"{stream}_mlp", SwiGLU(width, c.mlp_ratio))
        self.q_norm, self.k_norm = Norm(c.head_dim), Norm(c.head_dim)

    def forward(self, image, text, turn):
        length = text.shape[1]
        both = torch.cat([self.txt_qkv(self.txt_norm1(text)), self.img_qkv(self.img_norm1(image))], 1)
        q, k, v = both.unflatten(-1, (3, self.heads, -1)).unbind(2)
        q, k = rotate(self.q_norm(q), turn), rotate(self.k_norm(k), turn)
        out = attend(q, k, v, q.shape[-1] ** -0.5)
        image = image + self.img_attn_proj(out[:, length:])
        text = text + self.txt_attn_proj(out[:, :length])
        return (image + self.img_mlp(self.img_norm2(image)), text + self.txt_mlp(self.txt_norm2(text)))


class PatchEmbed(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.proj1 = nn.Conv2d(c.in_channels, c.pca_channels, c.patch_size, c.patch_size, bias=False)
        self.proj2 = nn.Conv2d(c.pca_channels, c.hidden_size, 1)

    def forward(self, x):
        return self.proj2(self.proj1(x)).flatten(2).transpose(1, 2)


class FinalLayer(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.norm_final = Norm(c.hidden_size)
        self.linear = nn.Linear(c.hidden_size, c.patch_size**2 * c.in_channels)

    def forward(self, x):
        return self.linear(self.norm_final(x))


class MMJiT(nn.Module):
    """Noisy pictures (n, 3, S, S), hidden states of the text (n, length, txt_input_size) and their
    mask, true where a token is real, to clean pictures."""

    def __init__(self, config):
        super().__init__()
        self.config = c = config
        self.img_embedder = PatchEmbed(c)
        self.txt_embedder = nn.Linear(c.txt_input_size, c.txt_hidden_size, bias=False)
        self.mask_token = nn.Parameter(torch.randn(1, 1, c.txt_input_size) * 0.02)
        self.txt_preamble_blocks = nn.ModuleList([TextBlock(c) for _ in range(c.txt_preamble_depth)])
        self.double_blocks = nn.ModuleList([DoubleBlock(c) for _ in range(c.depth_double)])
        self.final_layer = FinalLayer(c)
        self._make_positions()
        self.initialize()

    def _make_positions(self):
        c = self.config
        grid = torch.arange(c.image_size // c.patch_size).float()
        y, x = (t.flatten() for t in torch.meshgrid(grid, grid, indexing="ij"))
        half = c.hidden_size // 2
        features = [f(angles(axis, half)) for axis in (x, y) for f in (torch.sin, torch.cos)]
        self.register_buffer("positions", torch.cat(features, 1)[None], persistent=False)
        text = angles(torch.arange(c.prompt_length).float(), c.head_dim)
        image = torch.cat([angles(axis, c.head_dim // 2) for axis in (y, x)], 1)
        self.register_buffer("text_turn", rotation(text), persistent=False)
        self.register_buffer("turn", rotation(torch.cat([text, image])), persistent=False)

    def initialize(self):
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Conv2d)):
                nn.init.xavier_uniform_(module.weight.flatten(1))
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        for name, p in self.named_parameters():
            if name.endswith(("attn_proj.weight", "w2.weight", "linear.weight")):
                nn.init.zeros_(p)  # blocks begin as the identity, the picture as grey

    def forward(self, x, hidden, mask):
        context = torch.where(mask[..., None], hidden, self.mask_token.to(hidden.dtype))
        text = self.txt_embedder(context)
        for block in self.txt_preamble_blocks:
            text = block(text, self.text_turn)
        image = self.img_embedder(x) + self.positions
        for block in self.double_blocks:
            image, text = block(image, text, self.turn)
        patches = self.final_layer(image)
        side, p = x.shape[-1] // self.config.patch_size, self.config.patch_size
        patches = patches.unflatten(2, (p, p, -1)).unflatten(1, (side, side))
        return patches.permute(0, 5, 1, 3, 2, 4).flatten(4).flatten(2, 3)
