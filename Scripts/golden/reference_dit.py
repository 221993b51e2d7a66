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


def linear(weights, name, h):
    return F.linear(h, weights[name + ".weight"], weights[name + ".bias"])


def normalise(h, shift, scale):
    return F.layer_norm(h, h.shape[-1:], eps=1e-6) * (1 + scale) + shift


def condition(weights, t, y, dtype):
    """What modulates all blocks (B x 1 x D), of timesteps t (B) and classes y (B); without classes, of t alone."""
    features = timestep_features(t).to(dtype)
    c = linear(weights, "t_embedder.mlp.2", F.silu(linear(weights, "t_embedder.mlp.0", features)))
    table = weights.get("y_embedder.embedding_table.weight")
    return F.silu(c if table is None else c + table[y])[:, None]


def embed(weights, config, x):
    """Tokens (B x T x D) of images x (B x C x S x S)."""
    x = F.conv2d(x, weights["x_embedder.proj.weight"], weights["x_embedder.proj.bias"], stride=config["patch_size"])
    return x.flatten(2).transpose(1, 2) + weights["pos_embed"]


def attend(q, k, v):
    return torch.softmax(q @ k.mT / math.sqrt(q.shape[-1]), dim=-1) @ v


def block(weights, config, i, x, c):
    """Block i of sequences x (B x T x D) under conditions c (B x 1 x D, or 1 for all)."""
    name, (b, _, width), heads = f"blocks.{i}.", x.shape, config["num_heads"]
    shift1, scale1, gate1, shift2, scale2, gate2 = linear(weights, name + "adaLN_modulation.1", c).chunk(6, dim=-1)
    qkv = linear(weights, name + "attn.qkv", normalise(x, shift1, scale1))
    q, k, v = qkv.view(b, -1, 3, heads, width // heads).permute(2, 0, 3, 1, 4)
    mixed = attend(q, k, v)
    x = x + gate1 * linear(weights, name + "attn.proj", mixed.transpose(1, 2).reshape(b, -1, width))
    hidden = F.gelu(linear(weights, name + "mlp.fc1", normalise(x, shift2, scale2)), approximate="tanh")
    return x + gate2 * linear(weights, name + "mlp.fc2", hidden)


def unembed(weights, config, x, c):
    """Images (B x C_out x S x S) of tokens x (B x T x D)."""
    patch = config["patch_size"]
    side = config["input_size"] // patch
    shift, scale = linear(weights, "final_layer.adaLN_modulation.1", c).chunk(2, dim=-1)
    x = linear(weights, "final_layer.linear", normalise(x, shift, scale))
    x = x.view(-1, side, side, patch, patch, x.shape[-1] // patch**2).permute(0, 5, 1, 3, 2, 4)
    return x.reshape(len(x), -1, side * patch, side * patch)


def forward(weights, config, x, t, y):
    """Model output for x (B x C x S x S), timesteps t (B) and classes y (B); the null class is num_classes."""
    c = condition(weights, t, y, x.dtype)
    x = embed(weights, config, x)
    for i in range(config["depth"]):
        x = block(weights, config, i, x, c)
    return unembed(weights, config, x, c)


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
    classes = config["num_classes"]
    result = {"y_embedder.embedding_table.weight": (classes + 1, width)} if classes else {}
    for name, shape in layers.items():
        result |= {name + ".weight": shape, name + ".bias": shape[:1]}
    return result
