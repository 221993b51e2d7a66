"""The noise schedule, the training objective and the DDIM sampler, for a model that predicts x0."""

import torch

STEPS = 1000
BETA_START, BETA_END = 1e-4, 0.02


def alphas_cumprod():
    """The share of the signal's variance that is left at each timestep."""
    betas = torch.linspace(BETA_START, BETA_END, STEPS, dtype=torch.float64)
    return torch.cumprod(1 - betas, 0)


def add_noise(x0, noise, t, alphas):
    """The training input at timestep t."""
    a = alphas[t].view(-1, 1, 1, 1)
    return a.sqrt() * x0 + (1 - a).sqrt() * noise


def sample_timesteps(count, generator=None):
    """Logit-normal timesteps: most of them where a picture's structure is decided, 300 to 800."""
    return (torch.sigmoid(0.1 + 1.2 * torch.randn(count, generator=generator)) * STEPS).long()


def loss_weights(t, alphas):
    """The weight of |x0^ - x0|^2: one over the variance of the noise, at most 10."""
    return (1 / (1 - alphas[t])).clamp(max=10)


@torch.no_grad()
def ddim(model, classes, seed, steps=50, guidance=1.5):
    """Draws one image for each entry of `classes`, image i from the noise of seed + i."""
    config, device = model.config, next(model.parameters()).device
    shape = (config.in_channels, config.input_size, config.input_size)
    noise = [torch.randn(shape, generator=torch.Generator().manual_seed(seed + i))
             for i in range(len(classes))]
    x = torch.stack(noise).to(device)
    y = torch.as_tensor(classes, device=device)
    null = torch.full_like(y, config.num_classes)
    alphas = alphas_cumprod()
    stride = STEPS // steps
    for t in range((steps - 1) * stride, -1, -stride):
        ts = torch.full_like(y, t)
        x0 = model(x, ts, y)
        if guidance != 1:
            without = model(x, ts, null)
            x0 = without + guidance * (x0 - without)
        a = alphas[t].item()
        before = alphas[t - stride].item() if t >= stride else 1.0
        noise = (x - a**0.5 * x0) / (1 - a) ** 0.5
        x = before**0.5 * x0 + (1 - before) ** 0.5 * noise
    return x
