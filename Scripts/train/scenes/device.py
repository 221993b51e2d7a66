"""What everything that lives on a device has: the device, and random numbers made on it."""

import torch


class OnDevice:
    def __init__(self, device, seed):
        self.device = torch.device(device)
        self.generator = torch.Generator(self.device).manual_seed(seed)

    def tensor(self, values, dtype=torch.long):
        return torch.tensor(values, dtype=dtype, device=self.device)

    def uniform(self, *shape):
        return torch.rand(shape, generator=self.generator, device=self.device)
