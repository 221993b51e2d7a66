"""The variance-preserving process: noise schedule, training objective and DDIM sampler, for a model that predicts x0."""

import torch

STEPS = 1000
BETA_START, BETA_END = 1e-4, 0.02


def alphas_cumprod(scale=1.0):
    """The share of the signal's variance that is left at each timestep, with betas `scale` times as large."""
    betas = torch.linspace(scale * BETA_START, scale * BETA_END, STEPS, dtype=torch.float64)
    return torch.cumprod(1 - betas, 0)


def starting_noise(model, classes, seed):
    """The noise of seed + i for image or clip i."""
    shape, device = model.config.shape, next(model.parameters()).device
    noise = [torch.randn(shape, generator=torch.Generator().manual_seed(seed + i))
             for i in range(len(classes))]
    return torch.stack(noise).to(device)


def guided(model, x, t, classes, scale):
    """The model's x0 at timestep t, with classifier-free guidance."""
    ts = torch.full((len(x),), t, device=x.device)
    y = torch.as_tensor(classes, device=x.device)
    x0 = model(x, ts, y)
    if scale != 1:
        without = model(x, ts, torch.full_like(y, model.config.num_classes))
        x0 = without + scale * (x0 - without)
    return x0


def take_over_timesteps(embedder, old, new):
    """Makes an embedding of timesteps give for the features `new` what it gives for `old`.

    The inputs of its first layer are replaced, in the sense of least squares; all else stays.
    """
    layer = embedder.mlp[0]
    old, new = old.double(), new.double()
    wanted = old @ layer.weight.double().T
    # A little ridge keeps weights of features that hardly differ small.
    gram = new.T @ new + 1e-4 * torch.eye(new.shape[1], dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.linalg.solve(gram, new.T @ wanted).T)


class Diffusion:
    """x = sqrt(a) x0 + sqrt(1 - a) noise, with a the entry of a table at timestep t."""

    name = "diffusion"
    scale = 1.0  # of the betas
    # Of the logit of the training timesteps: most where a picture's structure is decided, 300 to 800.
    time_mean, time_spread = 0.1, 1.2

    def __init__(self):
        self.alphas = alphas_cumprod(self.scale)

    @property
    def fields(self):
        """What config.json says of the process."""
        return {"prediction_type": "sample", "num_train_timesteps": STEPS, "beta_schedule": "linear",
                "beta_start": self.scale * BETA_START, "beta_end": self.scale * BETA_END}

    def sample_times(self, count, generator=None):
        """Logit-normal timesteps."""
        normal = torch.randn(count, generator=generator)
        return (torch.sigmoid(self.time_mean + self.time_spread * normal) * STEPS).long()

    def add_noise(self, x0, noise, t):
        """The training input at timestep t."""
        a = self.alphas.to(t.device)[t].float().view(-1, *[1] * (x0.dim() - 1))
        return a.sqrt() * x0 + (1 - a).sqrt() * noise

    def timestep(self, t):
        """What the model is given for timestep t."""
        return t

    def loss_weights(self, t):
        """The weight of |x0^ - x0|^2: one over the variance of the noise, at most 10."""
        return (1 / (1 - self.alphas.to(t.device)[t].float())).clamp(max=10)

    @torch.no_grad()
    def draw(self, model, classes, seed, steps=50, guidance=1.5):
        """Draws one image, or clip, for each entry of `classes` with DDIM."""
        x = starting_noise(model, classes, seed)
        stride = STEPS // steps
        for t in range((steps - 1) * stride, -1, -stride):
            x0 = guided(model, x, t, classes, guidance)
            a = self.alphas[t].item()
            before = self.alphas[t - stride].item() if t >= stride else 1.0
            noise = (x - a**0.5 * x0) / (1 - a) ** 0.5
            x = before**0.5 * x0 + (1 - before) ** 0.5 * noise
        return x
