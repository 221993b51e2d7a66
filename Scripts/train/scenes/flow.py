"""MiniT2I's objective and its sampler, over a text encoder and an MM-JiT that train together.

Time runs from noise at 0 to the picture at 1: x_t = t x0 + (1 - t) e with e of standard deviation
NOISE. The network predicts x0; the loss is that of the velocity (x0 - x_t) / max(1 - t, FLOOR).
"""

import torch
from torch import nn

from mmjit import MMJiT
from t5 import T5Encoder

NOISE = 2.0
FLOOR = 0.05
DROP = 0.1  # of the captions, for guidance
TIME_MEAN, TIME_SPREAD = -0.8, 0.8  # of the logit of t, as in MiniT2I's pre-training


class TextToImage(nn.Module):
    """Both networks. Tokens are padded with 0; a caption that is dropped has no real token left,
    so every position holds the mask token, as in MiniT2I's unconditional branch."""

    def __init__(self, text_config, image_config):
        super().__init__()
        self.text_encoder = T5Encoder(text_config, image_config.prompt_length)
        self.net = MMJiT(image_config)

    def encode(self, tokens):
        """Hidden states and mask of captions."""
        mask = tokens > 0
        return self.text_encoder(tokens, mask), mask

    def forward(self, x, tokens, keep):
        """Clean pictures. `keep` (n): whether the network may see the caption."""
        hidden, mask = self.encode(tokens)
        return self.net(x, hidden, mask & keep[:, None])


def noisy(x0, generator):
    """Random times (n) and the pictures at them."""
    n, device = len(x0), x0.device
    normal = torch.randn(n, generator=generator, device=device)
    t = torch.sigmoid(TIME_MEAN + TIME_SPREAD * normal)
    e = NOISE * torch.randn(x0.shape, generator=generator, device=device)
    at = t.view(-1, 1, 1, 1)
    return t, at * x0 + (1 - at) * e


def loss(prediction, x0, t):
    """The mean square of the velocity's error."""
    return (((prediction.float() - x0) / (1 - t).clamp(min=FLOOR).view(-1, 1, 1, 1)) ** 2).mean()


@torch.no_grad()
def sample(model, tokens, seed=0, steps=50, guidance=2.5, dtype=None):
    """One picture for each caption, number i from the noise of seed + i; (n, 3, S, S) in [-1, 1]."""
    side, device = model.net.config.image_size, tokens.device
    x = torch.stack([torch.randn(3, side, side, generator=torch.Generator().manual_seed(seed + i))
                     for i in range(len(tokens))]).to(device) * NOISE
    with torch.autocast(device.type, dtype or torch.bfloat16, enabled=dtype is not None):
        hidden, mask = model.encode(tokens)
        hidden, masks = torch.cat([hidden, hidden]), torch.cat([mask, torch.zeros_like(mask)])
        for i in range(steps):
            t = i / steps
            x0, without = model.net(torch.cat([x, x]), hidden, masks).float().chunk(2)
            x0 = without + guidance * (x0 - without)
            x = x + (x0 - x) / (max(1 - t, FLOOR) * steps)
    return x.clamp(-1, 1)
