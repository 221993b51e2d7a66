"""Writes the golden clip models: tiny Lattes with random weights, their inputs and their exact outputs.

    pip install -r Scripts/requirements.txt
    python Scripts/golden/latte.py                      # writes Tests/PipelineSupport/Golden/<case>/

The files are those of models.py, with latents and outputs (C, F, H, W). reference_latte.py judges, in float64.
"""

from dataclasses import dataclass

import models
import reference_latte
import torch
from models import GENTLE


@dataclass
class Case(models.Case):
    frames: int = 1
    stored_times: bool = True  # whether the file has the table of the frames' positions, as published ones do

    @property
    def shape(self):
        return self.channels, self.frames, self.size, self.size

    def model(self):
        return LatteModel(self)


CASES = [
    Case("latte-classes", "official", "epsilon", depth=4, width=24, heads=2, patch=2, size=8, channels=4, frames=5,
         seed=11, guidance=2.0, learn_sigma=True, beta_end=GENTLE),
    Case("latte-one-frame", "official", "v_prediction", depth=2, width=16, heads=4, patch=1, size=5, channels=3,
         frames=1, seed=12, guidance=2.0, spacing="trailing"),
    Case("latte-unconditional-float16", "official", "epsilon", depth=2, width=20, heads=2, patch=2, size=6, channels=4,
         frames=3, seed=13, guidance=1.0, classes=0, learn_sigma=True, dtype=torch.float16, beta_end=GENTLE,
         stored_times=False),
]


class LatteModel(models.OfficialModel):
    def __init__(self, case):
        super().__init__(case)
        self.times = reference_latte.time_table(case.width, case.frames)
        if case.stored_times:
            self.stored["temp_embed"] = self.times[None]

    def additions(self):
        return {"architecture": "Latte", "num_frames": self.case.frames}

    def forward(self, dtype):
        weights = {name: tensor.to(dtype) for name, tensor in self.stored.items()}
        weights["temp_embed"] = self.times.to(dtype)
        return lambda x, t, y: reference_latte.forward(weights, self.config, x, t, y)

    def through_diffusers(self):
        """There is no other reference."""
        return None


if __name__ == "__main__":
    models.run(__doc__, CASES, models.write_case, width=32)
