"""The Diffusion Transformer of Peebles and Xie (arXiv:2212.09748) as one function of a state dict.

An independent reference for the official layout: plain tensor operations over the official names
(`blocks.0.attn.qkv.weight` ...), in whatever precision the weights have. Scripts/train/dit.py is the
module that trains; this one judges, also with learned variance and in float64.
"""

import math

import torch
import torch.nn.functional as F


def timestep_features(t, count=256):
    """Cosines, then sines, of t at frequencies exp(-ln(10000) i / 128), i = 0..127; float32 always."""
    half = count // 2
    rate = torch.exp(-math.log(10000.0) * torch.arange(half, dtype=torch.float32) / half)
    angle = t.float()[:, None] * rate
    return torch.cat([angle.cos(), angle.sin()], dim=1)


def position_table(width, side):
    """Fixed sine-cosine positions, side^2 x width: first half from the column, second from the row."""
    quarter = width // 4
    rate = 10000.0 ** (-torch.arange(quarter, dtype=torch.float64) / quarter)
    angle = torch.arange(side, dtype=torch.float64)[:, None] * rate
    line = torch.cat([angle.sin(), angle.cos()], dim=1)  # side x width/2
    column = line[None, :, :].expand(side, side, -1)
    row = line[:, None, :].expand(side, side, -1)
    return torch.cat([column, row], dim=2).reshape(side * side, width).float()


def forward(weights, config, x, t, y):
    """Model output for x (B x C x S x S), timesteps t (B) and classes y (B); the null class is num_classes."""
    b, channels, size, _ = x.shape
    width, heads, patch = (config[name] for name in ("hidden_size", "num_heads", "patch_size"))
    side = size // patch

    def linear(name, h):
        return F.linear(h, weights[name + ".weight"], weights[name + ".bias"])

    def normalise(h, shift, scale):
        return F.layer_norm(h, (width,), eps=1e-6) * (1 + scale) + shift

    features = timestep_features(t).to(x.dtype)
    c = linear("t_embedder.mlp.2", F.silu(linear("t_embedder.mlp.0", features)))
    c = F.silu(c + weights["y_embedder.embedding_table.weight"][y])[:, None]

    x = F.conv2d(x, weights["x_embedder.proj.weight"], weights["x_embedder.proj.bias"], stride=patch)
    x = x.flatten(2).transpose(1, 2) + weights["pos_embed"]
    for i in range(config["depth"]):
        block = f"blocks.{i}."
        shift1, scale1, gate1, shift2, scale2, gate2 = linear(block + "adaLN_modulation.1", c).chunk(6, dim=-1)
        qkv = linear(block + "attn.qkv", normalise(x, shift1, scale1))
        q, k, v = qkv.view(b, -1, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
        mixed = torch.softmax(q @ k.mT / math.sqrt(width // heads), dim=-1) @ v
        x = x + gate1 * linear(block + "attn.proj", mixed.transpose(1, 2).reshape(b, -1, width))
        hidden = F.gelu(linear(block + "mlp.fc1", normalise(x, shift2, scale2)), approximate="tanh")
        x = x + gate2 * linear(block + "mlp.fc2", hidden)
    shift, scale = linear("final_layer.adaLN_modulation.1", c).chunk(2, dim=-1)
    x = linear("final_layer.linear", normalise(x, shift, scale))
    x = x.view(b, side, side, patch, patch, -1).permute(0, 5, 1, 3, 2, 4)
    return x.reshape(b, -1, size, size)


def shapes(config):
    """Name and shape of every tensor but `pos_embed`."""
    width, patch, channels = (config[name] for name in ("hidden_size", "patch_size", "in_channels"))
    out = channels * (2 if config["learn_sigma"] else 1)
    layers = {"x_embedder.proj": (width, channels, patch, patch),
              "t_embedder.mlp.0": (width, 256), "t_embedder.mlp.2": (width, width)}
    for i in range(config["depth"]):
        block = f"blocks.{i}."
        layers |= {block + "attn.qkv": (3 * width, width), block + "attn.proj": (width, width),
                   block + "mlp.fc1": (4 * width, width), block + "mlp.fc2": (width, 4 * width),
                   block + "adaLN_modulation.1": (6 * width, width)}
    layers |= {"final_layer.adaLN_modulation.1": (2 * width, width),
               "final_layer.linear": (patch * patch * out, width)}
    result = {"y_embedder.embedding_table.weight": (config["num_classes"] + 1, width)}
    for name, shape in layers.items():
        result |= {name + ".weight": shape, name + ".bias": shape[:1]}
    return result
