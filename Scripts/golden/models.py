"""Writes the golden models: tiny DiTs with random weights, their inputs and their exact outputs.

    pip install -r Scripts/requirements.txt
    python Scripts/golden/models.py                      # writes Tests/PipelineSupport/Golden/<case>/

Each case is a model directory (config.json and safetensors) with two files more:

    io.safetensors  float32: `latents` (C, H, W), `output.<i>` (C_out, H, W) of forward i on them,
                    `initial_noise` and `final_latents` (C, H, W) of a guided run
    io.json         "forwards": timestep and class of each forward; "run": scheduler and its
                    configuration, steps, timesteps, class, null class, guidance scale

Layout "diffusers": DiTTransformer2DModel of diffusers judges. Layout "official": reference_dit.py
judges, itself held against diffusers with its two deviations from the paper's code undone (frequency
exponents i/127, layer norm epsilon 1e-5 before the MLP). Weights are those of the file, rounded as stored.
Timestep features and schedules are float32 as in the reference implementations, which is part of
what a model was trained with: at t near 1000 the angle t exp(-ln(10000) i / 127) in float32 is up to 3e-5
off. All else is computed in float64 and rounded once, so that the file holds the true answer.
"""

import argparse
import copy
import json
import math
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import DiTTransformer2DModel
from diffusers.models.embeddings import Timesteps
from safetensors.torch import save_file

import reference_dit
from guided_runs import FLOOR, sample, scheduler_of

ROOT = Path(__file__).resolve().parents[2]
GENTLE = 0.005  # the last beta of epsilon cases: random weights would leave 0.02 with latents of 200


@dataclass
class Case:
    """One golden model and its guided run."""

    name: str
    layout: str
    prediction: str  # epsilon, v_prediction, sample, or flow: of the velocity (diffusers) or of x0 (official)
    depth: int
    width: int
    heads: int
    patch: int
    size: int
    channels: int
    seed: int
    guidance: float
    learn_sigma: bool = False
    classes: int = 7
    dtype: torch.dtype = torch.float32
    shards: int = 1
    spacing: str = "leading"
    beta_end: float = 0.02

    @property
    def out_channels(self):
        return self.channels * (2 if self.learn_sigma else 1)

    @property
    def shape(self):
        return self.channels, self.size, self.size

    def model(self):
        return (DiffusersModel if self.layout == "diffusers" else OfficialModel)(self)


CASES = [
    Case("diffusers-epsilon-sigma", "diffusers", "epsilon", depth=1, width=24, heads=2, patch=2, size=8, channels=4,
         seed=1, guidance=2.0, learn_sigma=True, beta_end=GENTLE),
    Case("diffusers-v", "diffusers", "v_prediction", depth=3, width=16, heads=4, patch=1, size=5, channels=3,
         seed=2, guidance=3.0, spacing="trailing"),
    Case("diffusers-flow", "diffusers", "flow", depth=2, width=20, heads=2, patch=2, size=8, channels=3,
         seed=3, guidance=2.5),
    Case("official-sample", "official", "sample", depth=3, width=20, heads=4, patch=2, size=6, channels=3,
         seed=4, guidance=1.5),
    Case("official-epsilon-sigma-float16", "official", "epsilon", depth=2, width=24, heads=4, patch=2, size=10,
         channels=4, seed=5, guidance=2.0, learn_sigma=True, dtype=torch.float16, beta_end=GENTLE),
    Case("official-v-bfloat16-shards", "official", "v_prediction", depth=2, width=16, heads=2, patch=2, size=8,
         channels=3, seed=6, guidance=2.0, dtype=torch.bfloat16, shards=2),
    Case("official-flow-sample", "official", "flow", depth=2, width=20, heads=2, patch=2, size=6, channels=3,
         seed=7, guidance=1.5, spacing="trailing"),
]


# Weights

def fill(tensors, seed):
    """Random values for every tensor: outputs near 1, modulations near 0.4, biases near 0.1."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in tensors:
        if name.endswith("bias"):
            scale = 0.1
        elif "embedding_table" in name:
            scale = 1.0
        else:
            scale = 1 / math.sqrt(tensor[0].numel())
            if "adaLN_modulation" in name or "norm1.linear" in name or "proj_out_1" in name:
                scale *= 0.6
            elif ".mlp." in name and "t_embedder" in name or "timestep_embedder" in name:
                scale *= 1.2
        tensor.copy_(torch.randn(tensor.shape, generator=generator) * scale)


class DiffusersModel:
    """diffusers' own DiT."""

    def __init__(self, case):
        self.case = case
        self.module = DiTTransformer2DModel(
            num_attention_heads=case.heads, attention_head_dim=case.width // case.heads, in_channels=case.channels,
            out_channels=case.out_channels, num_layers=case.depth, sample_size=case.size, patch_size=case.patch,
            num_embeds_ada_norm=case.classes).eval()
        with torch.no_grad():
            fill(sorted(self.module.named_parameters()), case.seed)

    def write(self, directory):
        self.module.save_pretrained(directory)

    def forward(self, dtype):
        module = copy.deepcopy(self.module)
        module = module.double() if dtype == torch.float64 else module
        return lambda x, t, y: module(x, timestep=t, class_labels=y).sample


class OfficialModel:
    """The official architecture under its official names."""

    def __init__(self, case):
        self.case = case
        self.config = {
            "architecture": "DiT", "depth": case.depth, "hidden_size": case.width, "num_heads": case.heads,
            "patch_size": case.patch, "input_size": case.size, "in_channels": case.channels,
            "learn_sigma": case.learn_sigma, "num_classes": case.classes,
            "class_names": [f"class-{i}" for i in range(case.classes)],
            "prediction_type": case.prediction.removesuffix("_prediction"), "num_train_timesteps": 1000,
            **self.process(),
            "value_range": [-1, 1], "guidance_scale": case.guidance} | self.additions()
        tensors = {name: torch.empty(shape) for name, shape in sorted(reference_dit.shapes(self.config).items())}
        fill(tensors.items(), case.seed)
        self.stored = {name: tensor.to(case.dtype) for name, tensor in tensors.items()}
        # Positions are not trained; published checkpoints carry them as 1 x T x D in float32.
        self.stored["pos_embed"] = reference_dit.position_table(case.width, case.size // case.patch)[None]

    def additions(self):
        """Keys of the configuration that a DiT does not have."""
        return {}

    def process(self):
        if self.case.prediction == "flow":
            return {"flow_direction": "to_data", "flow_output": "sample", "velocity_floor": FLOOR}
        return {"beta_schedule": "linear", "beta_start": 0.0001, "beta_end": self.case.beta_end}

    def write(self, directory):
        (directory / "config.json").write_text(json.dumps(self.config, indent=1) + "\n")
        if self.case.shards == 1:
            save_file(self.stored, directory / "model.safetensors", metadata={"format": "pt"})
            return
        names, count = sorted(self.stored), self.case.shards
        index = {"metadata": {"total_size": sum(t.numel() * t.element_size() for t in self.stored.values())},
                 "weight_map": {}}
        for i in range(count):
            file = f"model-{i + 1:05}-of-{count:05}.safetensors"
            part = names[len(names) * i // count:len(names) * (i + 1) // count]
            save_file({name: self.stored[name] for name in part}, directory / file, metadata={"format": "pt"})
            index["weight_map"] |= dict.fromkeys(part, file)
        (directory / "model.safetensors.index.json").write_text(json.dumps(index, indent=1) + "\n")

    def forward(self, dtype):
        weights = {name: tensor.to(dtype) for name, tensor in self.stored.items()}
        return lambda x, t, y: reference_dit.forward(weights, self.config, x, t, y)

    def through_diffusers(self):
        """The same weights in diffusers' DiT in float64, with its two deviations undone."""
        case = self.case
        module = DiTTransformer2DModel(
            num_attention_heads=case.heads, attention_head_dim=case.width // case.heads, in_channels=case.channels,
            out_channels=case.out_channels, num_layers=case.depth, sample_size=case.size, patch_size=case.patch,
            num_embeds_ada_norm=case.classes, norm_eps=1e-6).eval().double()
        state = {}
        for kind in ("weight", "bias"):
            def put(target, source):
                state[f"{target}.{kind}"] = self.stored[f"{source}.{kind}"].double()
            put("pos_embed.proj", "x_embedder.proj")
            put("proj_out_1", "final_layer.adaLN_modulation.1")
            put("proj_out_2", "final_layer.linear")
            for i in range(case.depth):
                ours, theirs = f"blocks.{i}.", f"transformer_blocks.{i}."
                put(theirs + "norm1.linear", ours + "adaLN_modulation.1")
                put(theirs + "norm1.emb.timestep_embedder.linear_1", "t_embedder.mlp.0")
                put(theirs + "norm1.emb.timestep_embedder.linear_2", "t_embedder.mlp.2")
                put(theirs + "attn1.to_out.0", ours + "attn.proj")
                put(theirs + "ff.net.0.proj", ours + "mlp.fc1")
                put(theirs + "ff.net.2", ours + "mlp.fc2")
                for letter, part in zip("qkv", self.stored[f"{ours}attn.qkv.{kind}"].double().chunk(3)):
                    state[f"{theirs}attn1.to_{letter}.{kind}"] = part
                if kind == "weight":
                    state[theirs + "norm1.emb.class_embedder.embedding_table.weight"] = (
                        self.stored["y_embedder.embedding_table.weight"].double())
        module.load_state_dict(state)
        for block in module.transformer_blocks:
            block.norm1.emb.time_proj = Timesteps(256, flip_sin_to_cos=True, downscale_freq_shift=0)
        return lambda x, t, y: module(x, timestep=t, class_labels=y).sample


def largest_difference(a, b):
    """Largest difference in shares of b's largest value."""
    return ((a.double() - b.double()).abs().max() / b.double().abs().max()).item()


def check_sensitivity(case, model, x, outputs):
    """Weights that do not matter would test nothing: class, timestep and position must each show."""
    scale = outputs[0].std()

    def rolled(dimension, by):
        there = model(x.roll(by, dims=dimension)[None], *arguments(forwards(case)[0]))[0]
        return there.roll(-by, dims=dimension)

    changes = {"timestep": outputs[0] - outputs[1], "position": outputs[0] - rolled(-1, case.patch)}
    if case.classes:
        changes |= {"class": outputs[0] - outputs[2], "null class": outputs[0] - outputs[3]}
    if len(case.shape) == 4 and case.shape[1] > 1:
        changes["order of frames"] = outputs[0] - rolled(-3, 1)
    for what, change in changes.items():
        if change.std() < 0.1 * scale:
            raise SystemExit(f"{case.name}: the {what} hardly changes the output")


def forwards(case):
    """Timestep and class of each forward; after the first, one thing changes at a time."""
    t, other = (612.5, 20.25) if case.prediction == "flow" else (611, 20)
    null = case.classes
    if not null:
        return [(t, 0), (other, 0), (0, 0), (999, 0)]
    return [(t, 3), (other, 3), (t, 0), (t, null), (0, null), (1000 if case.prediction == "flow" else 999, 5)]


def arguments(pair):
    return torch.tensor([pair[0]]), torch.tensor([pair[1]])


def write_case(case, root, steps=50):
    """Writes one case; returns its line of the table."""
    directory = root / case.name
    if directory.exists():
        shutil.rmtree(directory)
    directory.mkdir(parents=True)
    model = case.model()
    model.write(directory)

    generator = torch.Generator().manual_seed(100 + case.seed)
    latents, noise = (torch.randn(case.shape, generator=generator) for _ in range(2))
    truth, rough = model.forward(torch.float64), model.forward(torch.float32)
    pairs = forwards(case)
    outputs = [truth(latents.double()[None], *arguments(pair))[0] for pair in pairs]
    check_sensitivity(case, truth, latents.double(), outputs)
    forward_error = max(largest_difference(rough(latents[None], *arguments(pair))[0], output)
                        for pair, output in zip(pairs, outputs))
    other = model.through_diffusers() if case.layout == "official" else None
    if other:
        gap = max(largest_difference(other(latents.double()[None], *arguments(pair))[0], output)
                  for pair, output in zip(pairs, outputs))
        if gap > 1e-12:
            raise SystemExit(f"{case.name}: the reference is {gap:.1e} off diffusers without its deviations")

    scheduler, label = scheduler_of(case), 2 if case.classes else 0
    final = sample(truth, scheduler, noise.double(), label, case.classes, case.guidance, steps)
    run_error = largest_difference(
        sample(rough, scheduler_of(case), noise, label, case.classes, case.guidance, steps), final)
    if not 0.3 < final.std() < 10:
        raise SystemExit(f"{case.name}: the run ends with a deviation of {final.std():.3g}")

    tensors = {"latents": latents, "initial_noise": noise, "final_latents": final}
    tensors |= {f"output.{i}": output for i, output in enumerate(outputs)}
    save_file({name: tensor.float().contiguous() for name, tensor in tensors.items()}, directory / "io.safetensors")
    run = {"scheduler": type(scheduler).__name__,
           "scheduler_config": {name: value for name, value in sorted(scheduler.config.items())
                                if not name.startswith("_")},
           "prediction_type": case.prediction.removesuffix("_prediction"), "spacing": case.spacing, "steps": steps,
           "timesteps": [t.item() for t in scheduler.timesteps], "class": label, "null_class": case.classes,
           "guidance_scale": case.guidance}
    if case.prediction == "flow":
        del run["spacing"]
        run["sigmas"] = [sigma.item() for sigma in scheduler.sigmas]
    text = {"layout": case.layout, "learn_sigma": case.learn_sigma, "num_classes": case.classes,
            "forwards": [{"timestep": t, "class": y, "output": f"output.{i}"} for i, (t, y) in enumerate(pairs)],
            "run": run}
    (directory / "io.json").write_text(json.dumps(text, indent=1) + "\n")
    size = sum(file.stat().st_size for file in directory.iterdir()) / 1000
    std = torch.stack(outputs).std().item()
    return f"{case.name:32} {std:10.2f} {forward_error:12.1e} {final.std().item():10.2f} {run_error:12.1e} {size:8.0f}"


def run(description, cases, write, width):
    """The program that writes cases, and prints the line that `write` makes of each; names take `width` columns."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "Tests/PipelineSupport/Golden",
                        help="folder of the cases (default: Tests/PipelineSupport/Golden)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print("float32 errors of the reference itself, in shares of the largest value")
    print(f"{'case':{width}} {'output std':>10} {'forward err':>12} {'final std':>10} {'run err':>12} {'kB':>8}")
    with torch.no_grad():
        for case in cases:
            print(write(case, arguments.out))


if __name__ == "__main__":
    run(__doc__, CASES, write_case, width=32)
