"""Attention of several heads and RMS norm, as both networks use them."""

import torch
import torch.nn.functional as F
from torch import nn


def attend(q, k, v, scale, bias=None):
    """(n, length, heads, features) each; the heads' results side by side, (n, length, width)."""
    q, k, v = (t.transpose(1, 2) for t in (q, k, v))
    if q.device.type == "cpu":
        # For a hundred tokens plain products are far faster backward than PyTorch's fused kernel.
        scores = (q * scale) @ k.mT
        weights = torch.softmax(scores if bias is None else scores + bias, -1, dtype=torch.float32)
        out = weights.to(v.dtype) @ v
    else:
        bias = None if bias is None else bias.to(q.dtype)
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=bias, scale=scale)
    return out.transpose(1, 2).flatten(2)


class Norm(nn.Module):
    """RMS norm over the last axis, with a weight."""

    def __init__(self, width, eps=1e-6):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(width)), eps

    def forward(self, x):
        return F.rms_norm(x, (x.shape[-1],), self.weight.to(x.dtype), self.eps)
