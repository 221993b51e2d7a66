"""MM-JiT, the transformer of MiniT2I (github.com/PeppaKing8/minit2i-jax), as one function of a state dict.

An independent reference: plain tensor operations over the names of MiniT2I's PyTorch files without their
prefix (`double_blocks.0.img_qkv.weight` ...), in whatever precision the weights have.
Scripts/train/scenes/mmjit.py is the module that trains; this one judges, also in float64.
"""

import torch
import torch.nn.functional as F

from reference_dit import position_table


def angles(positions, width):
    """position x 10000^(-2j / width), j below width / 2; float32 always, as the reference has them."""
    rate = 1.0 / (10000.0 ** (torch.arange(0, width, 2, dtype=torch.float32) / width))
    return positions.float()[:, None] * rate


def rotate(x, angle):
    """x (B x H x N x K) turned by angle (N x K/2); feature j goes with feature j + K/2."""
    half = x.shape[-1] // 2
    first, second = x[..., :half], x[..., half:]
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], -1)


def forward(weights, config, x, states, mask):
    """The clean picture for x (B x C x S x S), states of the text (B x L x width) and their mask (B x L)."""
    b, channels, size, _ = x.shape
    heads, head, patch = config["num_heads"], config["head_dim"], config["patch_size"]
    side = size // patch

    def linear(name, h):
        return F.linear(h, weights[name + ".weight"].flatten(1), weights.get(name + ".bias"))

    def norm(name, h):
        return h / (h.pow(2).mean(-1, keepdim=True) + 1e-6).sqrt() * weights[name + ".weight"]

    def split(h):
        return h.unflatten(-1, (3, heads, head)).permute(2, 0, 3, 1, 4)  # 3 x B x H x N x K

    def mlp(name, h):
        return linear(name + ".w2", F.silu(linear(name + ".w1", h)) * linear(name + ".w3", h))

    def attend(block, q, k, v, angle):
        q = rotate(norm(block + "q_norm", q), angle)
        k = rotate(norm(block + "k_norm", k), angle)
        return ((q @ k.transpose(-1, -2) * head**-0.5).softmax(-1) @ v).transpose(1, 2).flatten(2)

    grid = torch.arange(side)
    row, column = grid.repeat_interleave(side), grid.repeat(side)
    text_angle = angles(torch.arange(states.shape[1]), head)
    image_angle = torch.cat([angles(row, head // 2), angles(column, head // 2)], 1)

    context = torch.where(mask[..., None] > 0.5, states, weights["mask_token"])
    text = linear("txt_embedder", context)
    for i in range(config["txt_preamble_depth"]):
        block = f"txt_preamble_blocks.{i}."
        q, k, v = split(linear(block + "qkv", norm(block + "norm1", text)))
        text = text + linear(block + "attn_proj", attend(block, q, k, v, text_angle))
        text = text + mlp(block + "mlp", norm(block + "norm2", text))

    patches = x.reshape(b, channels, side, patch, side, patch).permute(0, 2, 4, 1, 3, 5).reshape(b, side * side, -1)
    image = linear("img_embedder.proj2", linear("img_embedder.proj1", patches))
    image = image + position_table(config["hidden_size"], side).to(image.dtype)
    length = text.shape[1]
    for i in range(config["depth_double"]):
        block = f"double_blocks.{i}."
        streams = [split(linear(block + s + "_qkv", norm(block + s + "_norm1", h)))
                   for s, h in (("txt", text), ("img", image))]
        q, k, v = torch.cat(streams, 3)
        mixed = attend(block, q, k, v, torch.cat([text_angle, image_angle]))
        text = text + linear(block + "txt_attn_proj", mixed[:, :length])
        image = image + linear(block + "img_attn_proj", mixed[:, length:])
        text = text + mlp(block + "txt_mlp", norm(block + "txt_norm2", text))
        image = image + mlp(block + "img_mlp", norm(block + "img_norm2", image))

    out = linear("final_layer.linear", norm("final_layer.norm_final", image))
    return out.reshape(b, side, side, patch, patch, channels).permute(0, 5, 1, 3, 2, 4).reshape(x.shape)
