"""Writes the golden PixArts: tiny models of diffusers with random weights, their inputs and their exact outputs.

    pip install -r Scripts/requirements.txt
    python Scripts/golden/pixart.py                      # writes Tests/PipelineSupport/Golden/pixart-<case>/

Each case is a pipeline of diffusers without encoder and decoder (model_index.json, transformer, scheduler) with two files
more:

    io.safetensors  float32: `latents` (C, H, W); `caption.<i>` (tokens, width), what a text encoder made of prompt i;
                    `output.<i>` (C_out, H, W) of forward i; `initial_noise` and `final_latents` (C, H, W) of a guided run
    io.json         "captions": the prompts, the last of which is the empty one; "forwards": timestep and caption of each;
                    "run": steps, timesteps, caption, guidance scale; "width", "height": of the picture, in pixels

PixArtTransformer2DModel judges, on padded captions with a mask, as its pipelines call it; that only real tokens are
given here is exact. DPMSolverMultistepScheduler steps. Sines and cosines of timesteps and sizes are float32 as in diffusers;
all else is computed in float64 and rounded once.
"""

import copy
import json
import math
import shutil
from dataclasses import dataclass

import torch
from diffusers import DPMSolverMultistepScheduler, PixArtTransformer2DModel
from safetensors.torch import save_file

import models
from models import largest_difference

STEPS = 20
GUIDANCE = 4.5
GENTLE = 0.002  # the last beta: random weights would leave 0.02 with latents of hundreds
PIXELS = 8  # along a side, for each pixel of the latents
PADDED = 9  # tokens


@dataclass
class Case:
    """One golden model and its guided run."""

    name: str
    pipeline: str
    side: int  # of the training's latents
    height: int  # of the latents
    width: int
    seed: int
    lengths: tuple  # tokens of the captions; the last one is the empty prompt's
    interpolation: float = None
    sizes: bool = False  # whether the size is a condition
    patch: int = 2
    heads: int = 2
    head: int = 12
    depth: int = 2
    caption: int = 20
    variance: bool = True


CASES = [
    Case("alpha", "PixArtAlphaPipeline", side=8, height=8, width=8, seed=1, lengths=(5, 1), depth=3),
    Case("alpha-sizes", "PixArtAlphaPipeline", side=6, height=10, width=4, seed=2, lengths=(7, 3, 1), sizes=True),
    Case("sigma", "PixArtSigmaPipeline", side=8, height=6, width=12, seed=3, lengths=(2, 9, 1), interpolation=0.5,
         depth=3, head=8),
    Case("sigma-odd", "PixArtSigmaPipeline", side=5, height=7, width=3, seed=4, lengths=(4, 1), interpolation=2, patch=1,
         heads=1, variance=False),
]


def transformer(case):
    """The model with random weights."""
    width, channels = case.heads * case.head, 4
    module = PixArtTransformer2DModel(
        num_attention_heads=case.heads, attention_head_dim=case.head, in_channels=channels,
        out_channels=channels * (2 if case.variance else 1), num_layers=case.depth, cross_attention_dim=width,
        sample_size=case.side, patch_size=case.patch, interpolation_scale=case.interpolation,
        use_additional_conditions=case.sizes, caption_channels=case.caption).eval()
    return randomized(module, case.seed)


def randomized(module, seed):
    """The module with random weights: outputs near 1, modulations near 0.4, biases near 0.1."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in sorted(module.named_parameters()):
        scale = 0.1 if name.endswith("bias") else 1 / math.sqrt(tensor[0].numel())
        if "scale_shift_table" in name:
            scale = 0.3
        elif name == "adaln_single.linear.weight":
            scale *= 0.6
        elif name.startswith("adaln_single.emb"):
            scale *= 1.2
        elif ".attn2.to_v" in name or name.startswith("caption_projection"):
            scale *= 2  # so that captions show
        with torch.no_grad():
            tensor.copy_(torch.randn(tensor.shape, generator=generator) * scale)
    return module


class Model:
    """A transformer in a type of numbers, with what every forward of a case has in common."""

    def __init__(self, case, module, captions, dtype):
        self.module = copy.deepcopy(module).to(dtype)
        self.captions, self.dtype = captions, dtype
        size = torch.tensor([[PIXELS * case.height, PIXELS * case.width]], dtype=dtype)
        ratio = torch.tensor([[case.height / case.width]], dtype=dtype)
        self.size = {"resolution": size, "aspect_ratio": ratio} if case.sizes else {
            "resolution": None, "aspect_ratio": None}

    def __call__(self, x, t, indices):
        """The outputs for some captions, padded to one length."""
        padded = torch.zeros(len(indices), PADDED, self.captions[0].shape[1], dtype=self.dtype)
        mask = torch.zeros(len(indices), PADDED, dtype=self.dtype)
        for row, index in enumerate(indices):
            count = len(self.captions[index])
            padded[row, :count], mask[row, :count] = self.captions[index].to(self.dtype), 1
        # What is masked does not matter.
        padded[mask == 0] = 3
        size = {name: None if value is None else value.repeat(len(indices), 1) for name, value in self.size.items()}
        return self.module(x.to(self.dtype).expand(len(indices), -1, -1, -1), encoder_hidden_states=padded,
                           encoder_attention_mask=mask, timestep=torch.full((len(indices),), t),
                           added_cond_kwargs=size).sample


def scheduler_of():
    """The pipelines' scheduler, with gentle betas."""
    return DPMSolverMultistepScheduler(num_train_timesteps=1000, beta_start=0.0001, beta_end=GENTLE,
                                       beta_schedule="linear", solver_order=2, algorithm_type="dpmsolver++")


def sample(model, scheduler, noise, caption):
    """The loop of diffusers' pipelines: guidance away from the empty prompt, variance channels dropped."""
    x, channels = noise[None], noise.shape[0]
    scheduler.set_timesteps(STEPS)
    for t in scheduler.timesteps:
        negative, positive = model(x, t.item(), [len(model.captions) - 1, caption]).chunk(2)
        guided = (negative + GUIDANCE * (positive - negative))[:, :channels]
        x = scheduler.step(guided, t, x).prev_sample.to(noise.dtype)
    return x[0]


def forwards(case):
    """Timestep and caption of each forward."""
    return [(611, 0), (20, 0), (999, 0), (0, 0)] + [(611, index) for index in range(1, len(case.lengths))]


def check_sensitivity(case, outputs, **more):
    """Weights that do not matter would test nothing: timestep and caption must each show, and so must `more`."""
    changes = {"timestep": outputs[0] - outputs[1], "caption": outputs[0] - outputs[-1], **more}
    for what, change in changes.items():
        if change.std() < 0.1 * outputs[0].std():
            raise SystemExit(f"{case.name}: the {what} hardly changes the output")


def begin(directory, pipeline, module, scheduler):
    """A pipeline's directory anew, with its network and its scheduler."""
    if directory.exists():
        shutil.rmtree(directory)
    module.save_pretrained(directory / "transformer")
    scheduler.save_pretrained(directory / "scheduler")
    index = {"_class_name": pipeline, "_diffusers_version": "0.42.1",
             "transformer": ["diffusers", type(module).__name__], "scheduler": ["diffusers", type(scheduler).__name__]}
    (directory / "model_index.json").write_text(json.dumps(index, indent=1) + "\n")


def finish(directory, case, scheduler, guidance, latents, noise, captions, outputs, final, errors, width, **more):
    """Writes inputs and outputs; returns the case's line of the table. `more` is told of the captions."""
    if not 0.3 < final.std() < 10:
        raise SystemExit(f"{case.name}: the run ends with a deviation of {final.std():.3g}")
    tensors = {"latents": latents, "initial_noise": noise, "final_latents": final}
    tensors |= {f"output.{i}": output for i, output in enumerate(outputs)}
    tensors |= {f"caption.{i}": caption for i, caption in enumerate(captions)}
    save_file({name: tensor.float().contiguous() for name, tensor in tensors.items()}, directory / "io.safetensors")
    text = {"width": PIXELS * case.width, "height": PIXELS * case.height,
            "captions": [f"caption {index}" for index in range(len(captions) - 1)] + [""], **more,
            "forwards": [{"timestep": t, "caption": index} for t, index in forwards(case)],
            "run": {"steps": STEPS, "timesteps": [t.item() for t in scheduler.timesteps], "caption": 0,
                    "guidance_scale": guidance}}
    (directory / "io.json").write_text(json.dumps(text, indent=1) + "\n")
    size = sum(file.stat().st_size for file in directory.rglob("*") if file.is_file()) / 1000
    std = torch.stack(outputs).std().item()
    forward_error, run_error = errors
    return (f"{case.name:{width}} {std:10.2f} {forward_error:12.1e} {final.std().item():10.2f} {run_error:12.1e} "
            f"{size:8.0f}")


def write_case(case, root):
    """Writes one case; returns its line of the table."""
    directory = root / f"pixart-{case.name}"
    module, scheduler = transformer(case), scheduler_of()
    begin(directory, case.pipeline, module, scheduler)

    generator = torch.Generator().manual_seed(100 + case.seed)
    latents, noise = (torch.randn((4, case.height, case.width), generator=generator) for _ in range(2))
    captions = [torch.randn((count, case.caption), generator=generator) for count in case.lengths]
    truth, rough = (Model(case, module, captions, dtype) for dtype in (torch.float64, torch.float32))
    outputs = [truth(latents[None], t, [index])[0] for t, index in forwards(case)]
    check_sensitivity(case, outputs)
    forward_error = max(largest_difference(rough(latents[None], t, [index])[0], output)
                        for (t, index), output in zip(forwards(case), outputs))
    final = sample(truth, scheduler, noise.double(), 0)
    run_error = largest_difference(sample(rough, scheduler_of(), noise, 0), final)
    return finish(
        directory, case, scheduler, GUIDANCE, latents, noise, captions, outputs, final, (forward_error, run_error), width=16)


if __name__ == "__main__":
    models.run(__doc__, CASES, write_case, width=16)
