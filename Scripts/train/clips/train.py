"""Trains the embedded clip model on emoji that move, on a CPU or a CUDA GPU.

    python train.py RUN --start-from ../../../Models/emoji-dit-s8 --clips 40000 --minutes 110          # a CPU
    python train.py RUN --start-from ../../../Models/emoji-dit-s8 --minutes 9 --device cuda --compile  # a large GPU

A run lives in one folder: data (prepared if missing), checkpoint.pt (everything that the run needs to go on), log.jsonl
and sheets of samples. Started again with the same folder, it goes on where it was. The learning rate follows the clips, or
the time if that runs out sooner: it rises for the first steps, stays, and falls as half a cosine over the last part.
"""

import argparse
import json
import math
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn

sys.path += [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[1] / "scenes")]

import diffusion
import groups
import laws
import optimizers
import prepare
import processes
import runs
import sheet
from clips import STEEPNESS, Clips
from dit import timestep_features
from latte import Latte, LatteConfig

WARM_UP_STEPS = 100
LR, ADAM_LR, LR_BATCH = 2e-3, 1e-3, 8  # for batches of 8
AVERAGE = 25  # the averaged weights look back over 1 / AVERAGE of the clips seen
SHEET_STRIDE, SHEET_STEPS, SHEET_GUIDANCE = 5, 25, 1.5  # few: a full sheet costs a CPU minutes


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("run", type=Path, help="the folder of the run; one that has a checkpoint goes on")
    add("--data", type=Path, help="the prepared data (default: RUN/data, prepared if missing)")
    add("--clips", type=float, default=math.inf, help="clips in all")
    add("--minutes", type=float, default=math.inf, help="training time in all, start and compiling included")
    add("--decay", type=float, default=0.7, help="the share of the run with a falling learning rate")
    add("--batch", type=int, help="clips a step (default: 8 on a CPU, 256 on a GPU)")
    add("--lr", type=float, help="peak learning rate of Muon (default: by the batch)")
    add("--adam-lr", type=float, help="that of AdamW (default: by the batch)")
    add("--weight-decay", type=float, default=0.01, help="of the matrices inside the blocks")
    add("--label-dropout", type=float, default=0.1, help="chance of the null class")
    add("--start-from", type=Path, help="a class model's directory, whose weights to start from")
    add("--keep-blocks", default="0,2,3,5", help="those of its blocks to keep, for space (default: %(default)s)")
    add("--steepness", type=float, default=STEEPNESS, help="how much more often the first emoji of a group are drawn")
    add("--depth", type=int, default=8, help="blocks, half of them over time (default: %(default)s)")
    add("--width", type=int, default=192, help="model width (default: %(default)s)")
    add("--heads", type=int, default=3, help="attention heads (default: %(default)s)")
    add("--patch", type=int, default=8, help="patch size in pixels (default: %(default)s)")
    add("--seed", type=int, default=0)
    add("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    add("--compile", action="store_true", help="compile the model (CUDA only)")
    add("--float32", action="store_true", help="no bfloat16 products")
    add("--log-every", type=float, default=60, metavar="SECONDS")
    add("--save-every", type=float, default=240, metavar="SECONDS", help="checkpoints")
    add("--sheet-every", type=float, default=900, metavar="SECONDS", help="sheets of samples")
    arguments = parser.parse_args()
    if math.isinf(arguments.clips) and math.isinf(arguments.minutes):
        parser.error("give --clips or --minutes: the learning rate falls towards the end of the run")
    return arguments


class ClassEmbedding(nn.Module):
    """A class is a motion and a group, so its embedding is the sum of theirs: what a group teaches, all motions share."""

    def __init__(self, motions, members, width):
        super().__init__()
        self.motions = nn.Parameter(0.02 * torch.randn(motions, width))
        self.groups = nn.Parameter(0.02 * torch.randn(members, width))
        self.null = nn.Parameter(0.02 * torch.randn(1, width))

    def table(self):
        """The embeddings of all classes, in their order, then that of the null class."""
        sums = self.motions[:, None] + self.groups[None]
        return torch.cat([sums.flatten(0, 1), self.null])


class Trained(nn.Module):
    """A Latte with the parameters of its class embeddings in place of the table that they make."""

    def __init__(self, config, members):
        super().__init__()
        self.latte = Latte(config)
        self.latte.y_embedder.embedding_table.weight.requires_grad_(False)
        self.classes = ClassEmbedding(len(laws.MOTIONS), members, config.hidden_size)

    def forward(self, x, t, y):
        return self.latte.run(x, self.latte.t_embedder(t) + self.classes.table()[y])

    @torch.no_grad()
    def plain(self):
        """The Latte, with its table filled in."""
        self.latte.y_embedder.embedding_table.weight.copy_(self.classes.table())
        return self.latte

    @torch.no_grad()
    def start_from(self, directory, kept, related):
        """Takes over a class model: some of its blocks for space, its other layers, and of its classes the embeddings of
        those that `related` names, one a group. Blocks for time keep zero gates, so each frame is a picture at first."""
        state = load_file(directory / "model.safetensors")
        names = json.loads((directory / "config.json").read_text(encoding="utf-8"))["class_names"]
        table = state.pop("y_embedder.embedding_table.weight").float()
        state.pop("pos_embed")
        renamed = {}
        for name, tensor in state.items():
            if name.startswith("blocks."):
                _, index, rest = name.split(".", 2)
                if int(index) not in kept:
                    continue
                name = f"blocks.{2 * kept.index(int(index))}.{rest}"
            renamed[name] = tensor.float()
        missing, unexpected = self.latte.load_state_dict(renamed, strict=False)
        if unexpected or any(int(name.split(".")[1]) % 2 == 0 for name in missing if name.startswith("blocks.")):
            raise SystemExit(f"{directory} does not fit: a depth of {self.latte.config.depth} needs "
                             f"{self.latte.config.depth // 2} of its blocks, and its width")
        self.classes.groups.copy_(table[[names.index(name) for name in related]])
        self.classes.null.copy_(table[-1:])
        old = timestep_features(processes.timesteps_of_pictures())
        diffusion.take_over_timesteps(self.latte.t_embedder, old, timestep_features(torch.arange(diffusion.STEPS)))


class Training:
    """The state of a run: model, average, optimisers, random numbers and counters."""

    def __init__(self, arguments, data):
        self.arguments = arguments
        self.device = torch.device(arguments.device)
        torch.manual_seed(arguments.seed)
        with np.load(data / "clips.npz") as file:
            self.clips = Clips(file, self.device, arguments.seed, arguments.steepness)
        self.class_names = groups.class_names(self.clips.groups)
        self.process = processes.ClipDiffusion()
        config = LatteConfig(arguments.depth, arguments.width, arguments.heads, arguments.patch, laws.SIDE, 3,
                             len(self.class_names), laws.FRAMES)
        self.model, self.average = (Trained(config, len(self.clips.groups)) for _ in range(2))
        if arguments.start_from:
            kept = [int(i) for i in arguments.keep_blocks.split(",")]
            self.model.start_from(arguments.start_from, kept, [group.related for group in self.clips.groups])
        self.average.load_state_dict(self.model.state_dict())
        self.model.to(self.device)
        self.average.to(self.device).eval().requires_grad_(False)
        self.forward = torch.compile(self.model) if arguments.compile else self.model
        self.precision = torch.float32 if arguments.float32 else torch.bfloat16
        self.batch = arguments.batch or (256 if self.device.type == "cuda" else 8)
        self.optimizers = self.make_optimizers()
        self.chance = torch.Generator().manual_seed(arguments.seed + 1)
        self.noise = torch.Generator(self.device).manual_seed(arguments.seed + 2)
        self.step, self.seen, self.seconds = 0, 0, 0.0

    def make_optimizers(self):
        """Muon for the matrices of attention and MLP, AdamW for all that is left."""
        matrices, rest = [], []
        for name, p in self.model.named_parameters():
            if p.requires_grad:
                inside = ".attn." in name or (".mlp." in name and ".blocks." in name)
                (matrices if inside and p.dim() == 2 else rest).append(p)
        a = self.arguments
        rates = optimizers.peaks(a, LR, ADAM_LR, LR_BATCH, self.batch)
        return optimizers.make(matrices, rest, *rates, (0.9, 0.98), a.weight_decay, self.precision,
                               fused=self.device.type == "cuda")

    def progress(self):
        """How much of the run is done, 0 to 1."""
        return max(self.seen / self.arguments.clips, self.seconds / (60 * self.arguments.minutes))

    def schedule(self):
        """The share of the peak learning rate at this step."""
        warm = min(1.0, (self.step + 1) / WARM_UP_STEPS)
        return warm * optimizers.half_cosine(self.progress(), self.arguments.decay)

    def train_step(self):
        """One step; returns the weighted and the plain squared error, without waiting for the device."""
        optimizers.set_share(self.optimizers, self.schedule())
        count = self.batch
        x0, y = self.clips.batch(count)
        drop = torch.rand(count, generator=self.chance) < self.arguments.label_dropout
        y = torch.where(drop.to(self.device), len(self.class_names), y)
        t = self.process.sample_times(count, self.chance).to(self.device)
        noise = torch.randn(x0.shape, generator=self.noise, device=self.device)
        noisy = self.process.add_noise(x0, noise, t)
        enabled = self.precision != torch.float32
        with torch.autocast(self.device.type, torch.bfloat16, enabled=enabled):
            predicted = self.forward(noisy, self.process.timestep(t), y)
        error = (predicted.float() - x0).square().flatten(1).mean(1)
        loss = (error * self.process.loss_weights(t)).mean()
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
        self.step += 1
        self.seen += count
        weight = min(1.0, AVERAGE * count / (self.seen + AVERAGE * count))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.model.parameters()), weight)
        # Not finite, either, if this step has spoilt the weights.
        return {"loss": loss.detach() + 0 * norm, "mse": error.detach().mean()}

    def save(self, loss):
        """Everything that the run needs to go on; never a run that has lost its way."""
        if not torch.isfinite(loss):
            raise SystemExit(f"the loss is {loss.item()} at step {self.step}: start again from the last checkpoint, "
                             "with a smaller --lr")
        latte = self.average.plain()
        runs.save_atomically({
            "config": asdict(latte.config), "class_names": self.class_names, "ema": latte.state_dict(),
            "model": self.model.state_dict(), "average": self.average.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "clips_generator": self.clips.generator.get_state(), "chance": self.chance.get_state(),
            "noise": self.noise.get_state(), "device": self.device.type,
            "step": self.step, "seen": self.seen, "seconds": self.seconds,
        }, self.arguments.run / "checkpoint.pt")

    def load(self, path):
        """Goes on from a checkpoint. On a device of another type the random numbers of the device begin anew."""
        state = torch.load(path, map_location="cpu", weights_only=True)
        if state["config"] != asdict(self.model.latte.config) or state["class_names"] != self.class_names:
            raise SystemExit(f"{path} is of a model of another shape or of other classes: give the options it was "
                             "started with, or another folder")
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        optimizers.load(self.optimizers, state["optimizers"])
        self.step, self.seen, self.seconds = state["step"], state["seen"], state["seconds"]
        self.chance.set_state(state["chance"])
        if state["device"] == self.device.type:
            self.clips.generator.set_state(state["clips_generator"])
            self.noise.set_state(state["noise"])
        else:
            self.clips.generator.manual_seed(self.arguments.seed + self.seen)
            self.noise.manual_seed(self.arguments.seed + self.seen + 2)

    def draw(self):
        """A sheet of the averaged model, with every motion and every group, named by the clips seen."""
        classes = range(0, len(self.class_names), SHEET_STRIDE)
        clips = sheet.draw(self.average.plain(), self.process, classes, 0, SHEET_STEPS, SHEET_GUIDANCE,
                           self.precision)
        labels = [self.class_names[c] for c in classes]
        runs.save_image(sheet.compose(clips, labels), self.arguments.run / f"sheet-{self.seen:07}.png")


def main():
    started = time.monotonic()
    arguments = parse_arguments()
    runs.check_compile(arguments)
    torch.set_flush_denormal(True)
    torch.set_float32_matmul_precision("high")
    arguments.run.mkdir(parents=True, exist_ok=True)
    data = arguments.data or arguments.run / "data"
    if not (data / "clips.npz").exists():
        prepare.write(data)
    training = Training(arguments, data)
    runs.resume(training, arguments.run)
    loss, stopped = runs.follow(training, arguments, "clips", started=started)
    if loss is not None:
        training.save(loss)
    if not stopped:
        training.draw()


if __name__ == "__main__":
    main()
