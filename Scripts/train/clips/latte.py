"""Latte (Ma et al., arXiv:2401.03048), class-conditional: DiT's blocks in turns over space and over time.

Parameter names are those of the official checkpoints, less pos_embed and temp_embed, which are fixed tables. Clips and
noise are B x F x C x S x S; the model predicts one value per input value (no learned variance).
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from dit import Attention, Block, DiT, DiTConfig, FinalLayer, LabelEmbedder, PatchEmbed, TimestepEmbedder, position_table


@dataclass
class LatteConfig(DiTConfig):
    """The shape of a Latte, in the words of config.json. `depth` counts both kinds of blocks."""

    depth: int = 8
    num_classes: int = 48
    num_frames: int = 8

    @property
    def shape(self):
        return (self.num_frames, *super().shape)


def time_table(width, frames):
    """The fixed sine-cosine table of the frames' numbers, frames x width: sines, then cosines."""
    rate = 10000.0 ** (-torch.arange(width // 2, dtype=torch.float64) / (width // 2))
    angle = torch.arange(frames, dtype=torch.float64)[:, None] * rate
    return torch.cat([angle.sin(), angle.cos()], 1).float()


class AxisAttention(Attention):
    """Attention among the tokens of a frame, or among the frames of a place. Tokens are (B, F T, width), frame by frame,
    so that everything but attention itself runs on one matrix."""

    def __init__(self, width, heads, frames, over_time):
        super().__init__(width, heads)
        self.frames, self.over_time = frames, over_time

    def forward(self, x):
        b, tokens, width = x.shape
        places, head = tokens // self.frames, width // self.heads
        qkv = self.qkv(x).view(b, self.frames, places, 3, self.heads, head)
        # (3, B, F, heads, T, head) or (3, B, T, heads, F, head)
        q, k, v = qkv.permute(3, 0, 2, 4, 1, 5) if self.over_time else qkv.permute(3, 0, 1, 4, 2, 5)
        if x.device.type == "cpu":
            # For so few tokens plain products are far faster backward than PyTorch's fused kernel.
            weights = torch.softmax((q * head**-0.5) @ k.mT, -1, dtype=torch.float32)
            out = weights.to(v.dtype) @ v
        else:
            fused = F.scaled_dot_product_attention(*(t.flatten(0, 1) for t in (q, k, v)))
            out = fused.unflatten(0, q.shape[:2])
        out = out.permute(0, 3, 1, 2, 4) if self.over_time else out.permute(0, 1, 3, 2, 4)
        return self.proj(out.reshape(b, tokens, width))


class Latte(nn.Module):
    """The whole model: `model(x, t, y)` with x B x F x C x S x S, t and y of length B."""

    def __init__(self, config):
        super().__init__()
        self.config = config
        width, side = config.hidden_size, config.input_size // config.patch_size
        self.x_embedder = PatchEmbed(config)
        self.t_embedder = TimestepEmbedder(width)
        self.y_embedder = LabelEmbedder(config.num_classes, width)
        self.register_buffer("positions", position_table(width, side), persistent=False)
        self.register_buffer("times", time_table(width, config.num_frames)[:, None], persistent=False)
        self.blocks = nn.ModuleList(Block(width, config.num_heads) for _ in range(config.depth))
        for i, block in enumerate(self.blocks):
            block.attn = AxisAttention(width, config.num_heads, config.num_frames, over_time=i % 2 == 1)
        self.final_layer = FinalLayer(config)
        DiT.initialize(self)

    def forward(self, x, t, y):
        return self.run(x, self.t_embedder(t) + self.y_embedder(y))

    def run(self, x, c):
        """The clip for a conditioning vector (B, width)."""
        b, frames, channels, height, _ = x.shape
        p = self.config.patch_size
        side = height // p
        x = self.x_embedder(x.flatten(0, 1)) + self.positions
        x = x.view(b, frames * side * side, -1)
        for i, block in enumerate(self.blocks):
            if i == 1:
                x = (x.view(b, frames, side * side, -1) + self.times).view(x.shape)
            x = block(x, c)
        x = self.final_layer(x, c)
        x = x.view(b, frames, side, side, p, p, channels).permute(0, 1, 6, 2, 4, 3, 5)
        return x.reshape(b, frames, channels, side * p, side * p)
