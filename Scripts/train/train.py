"""Trains a small DiT on the emoji data set, on a CPU or a CUDA GPU.

A run lives in one folder: checkpoint.pt (everything that the run needs to go on), log.jsonl and
sheets of samples. Started again with the same folder, it goes on where it was. The learning rate
follows the time spent, so that `--minutes` is all there is to plan: it rises for the first steps,
stays, and falls linearly to zero over the last part.
"""

import argparse
from dataclasses import asdict
from pathlib import Path

import torch

import dataset
import export
import flow
import optimizers
import processes
import runs
import sheet
from dit import DiT, DiTConfig, timestep_features

WARM_UP_STEPS = 100


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("run", type=Path, help="the folder of the run; one that has a checkpoint goes on")
    add("--data", type=Path, default=Path("emoji.npz"), help="the data set; built if missing")
    add("--process", choices=processes.BY_NAME, default="diffusion",
        help="what the model is to undo (default: %(default)s)")
    add("--minutes", type=float, default=110, help="training time in all (default: %(default)s)")
    add("--decay", type=float, default=0.6, help="the share of it with a falling learning rate")
    add("--start-from", type=Path, help="a model directory whose weights to start from")
    add("--depth", type=int, default=6, help="blocks (default: %(default)s)")
    add("--width", type=int, default=192, help="model width (default: %(default)s)")
    add("--heads", type=int, default=3, help="attention heads (default: %(default)s)")
    add("--patch", type=int, default=8, help="patch size in pixels (default: %(default)s)")
    add("--batch", type=int, default=32, help="pictures a step (default: %(default)s)")
    add("--lr", type=float, default=3e-3, help="peak learning rate of Muon (default: %(default)s)")
    add("--adam-lr", type=float, default=1.2e-3, help="that of AdamW (default: %(default)s)")
    add("--weight-decay", type=float, default=0.0, help="of the matrices inside the blocks")
    add("--ema", type=float, default=0.995, help="decay of the averaged weights a step")
    add("--label-dropout", type=float, default=0.1, help="chance of the null class")
    add("--balance", type=float, default=0.75, help="1: all classes equally often, 0: all emoji")
    add("--plateau", type=float, default=1, help="how many emoji of a class are drawn most often")
    add("--steepness", type=float, default=2.5, metavar="A",
        help="the emoji of rank r after them weighs (plateau / r)^A; 0: all the same")
    add("--seed", type=int, default=0)
    add("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    add("--threads", type=int, help="CPU threads (default: torch's)")
    add("--compile", action="store_true", help="compile the model (needs a C++ compiler)")
    add("--bf16", action="store_true", help="bfloat16 matrix products (CUDA only)")
    add("--log-every", type=float, default=60, metavar="SECONDS")
    add("--save-every", type=float, default=600, metavar="SECONDS", help="checkpoints")
    add("--sheet-every", type=float, default=1800, metavar="SECONDS", help="sheets of samples")
    add("--guidance", type=float, default=1.5, help="guidance scale of the sheets")
    return parser.parse_args()


def grow(model, state):
    """Loads the weights of a DiT that may have fewer blocks.

    The blocks that it lacks are spread evenly and keep zero gates, so the function is unchanged.
    """
    old = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("blocks."))
    new = model.config.depth
    if new < old:
        raise SystemExit(f"the model to start from has {old} blocks: --depth must be {old} or more")
    place = [i * new // old for i in range(old)]
    renamed = {}
    for name, tensor in state.items():
        if name.startswith("blocks."):
            _, index, rest = name.split(".", 2)
            name = f"blocks.{place[int(index)]}.{rest}"
        renamed[name] = tensor
    _, unexpected = model.load_state_dict(renamed, strict=False)
    if unexpected:
        raise SystemExit(f"the weights to start from do not fit: {unexpected[0]}")


class Training:
    """The state of a run: model, average, optimisers, random numbers and counters."""

    def __init__(self, arguments):
        self.arguments = arguments
        self.device = torch.device(arguments.device)
        torch.manual_seed(arguments.seed)
        data = dataset.load(arguments.data)
        self.class_names = [str(name) for name in data["class_names"]]
        self.images = torch.from_numpy(data["images"]).permute(0, 3, 1, 2).contiguous()
        self.images = self.images.to(self.device)
        self.labels = torch.from_numpy(data["class_ids"])
        self.weights = torch.from_numpy(dataset.sampling_weights(
            data, arguments.balance, arguments.plateau, arguments.steepness))
        self.process = processes.BY_NAME[arguments.process]()
        config = DiTConfig(arguments.depth, arguments.width, arguments.heads, arguments.patch,
                           dataset.SIDE, 3, len(self.class_names))
        self.model = DiT(config)
        if arguments.start_from:
            start, start_config = export.read_model(arguments.start_from)
            grow(self.model, start.state_dict())
            if (processes.name(start_config), arguments.process) == ("diffusion", "flow"):
                flow.take_over_timesteps(self.model.t_embedder, timestep_features)
        self.model.to(self.device)
        self.ema = DiT(config).to(self.device).eval().requires_grad_(False)
        self.ema.load_state_dict(self.model.state_dict())
        self.forward = torch.compile(self.model) if arguments.compile else self.model
        self.optimizers = self.make_optimizers()
        self.generator = torch.Generator().manual_seed(arguments.seed)
        self.step, self.seen, self.seconds = 0, 0, 0.0

    def make_optimizers(self):
        """Muon for the matrices of attention and MLP, AdamW for all that is left."""
        matrices, rest = [], []
        for name, p in self.model.named_parameters():
            if p.requires_grad:
                inside = ".attn." in name or (".mlp." in name and name.startswith("blocks."))
                (matrices if inside and p.ndim == 2 else rest).append(p)
        a = self.arguments
        return optimizers.make(matrices, rest, a.lr, a.adam_lr, (0.9, 0.99), a.weight_decay)

    def progress(self):
        """How much of the time is over, 0 to 1."""
        end = 60 * self.arguments.minutes
        return self.seconds / end if self.seconds < end else 1.0

    def schedule(self):
        """The share of the peak learning rate at this moment."""
        left = 1 - self.progress()
        return min(1.0, (self.step + 1) / WARM_UP_STEPS, left / self.arguments.decay)

    def batch(self):
        """Pictures in [-1, 1], labels with some dropped, times."""
        count = self.arguments.batch
        index = torch.multinomial(self.weights, count, True, generator=self.generator)
        x0 = self.images[index.to(self.device)].float() / 127.5 - 1
        drop = torch.rand(count, generator=self.generator) < self.arguments.label_dropout
        y = torch.where(drop, len(self.class_names), self.labels[index])
        t = self.process.sample_times(count, self.generator)
        return x0, y.to(self.device), t.to(self.device)

    def train_step(self):
        """One optimiser step; returns the weighted and the plain squared error."""
        x0, y, t = self.batch()
        noisy = self.process.add_noise(x0, torch.randn_like(x0), t)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.arguments.bf16):
            predicted = self.forward(noisy, self.process.timestep(t), y)
        error = (predicted.float() - x0).square().mean((1, 2, 3))
        loss = (error * self.process.loss_weights(t)).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        optimizers.set_share(self.optimizers, self.schedule())
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        self.seen += len(x0)
        self.average()
        return {"loss": loss.detach(), "mse": error.detach().mean()}

    @torch.no_grad()
    def average(self):
        """Moves the averaged weights, faster during the first steps."""
        decay = min(self.arguments.ema, (1 + self.step) / (10 + self.step))
        pairs = [(e, p) for e, p in zip(self.ema.parameters(), self.model.parameters())
                 if p.requires_grad]
        torch._foreach_lerp_([e for e, _ in pairs], [p.detach() for _, p in pairs], 1 - decay)

    def save(self, _loss=None):
        """Writes the checkpoint of the run."""
        runs.save_atomically({
            "config": asdict(self.model.config), "class_names": self.class_names,
            "process": self.process.name,
            "model": self.model.state_dict(), "ema": self.ema.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "step": self.step, "samples": self.seen, "seconds": self.seconds,
            "generator": self.generator.get_state(), "torch": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all() if self.device.type == "cuda" else None,
        }, self.arguments.run / "checkpoint.pt")

    def load(self, path):
        """Goes on from a checkpoint; peak learning rates are those of this command line."""
        state = torch.load(path, map_location="cpu", weights_only=True)
        if state["config"] != asdict(self.model.config):
            raise SystemExit(f"{path} is of a model of another shape: {state['config']}")
        if processes.name(state) != self.process.name:
            raise SystemExit(f"{path} is of a run with --process {processes.name(state)}")
        self.model.load_state_dict(state["model"])
        self.ema.load_state_dict(state["ema"])
        optimizers.load(self.optimizers, state["optimizers"])
        self.step, self.seen = state["step"], state["samples"]
        self.seconds = state["seconds"]
        self.generator.set_state(state["generator"])
        torch.set_rng_state(state["torch"])
        if state["cuda"] is not None and self.device.type == "cuda":
            torch.cuda.set_rng_state_all(state["cuda"])

    def draw(self):
        """A sheet of the averaged model, named by the step."""
        path = self.arguments.run / f"sheet-{self.step:06}.png"
        sheet.draw_sheet(self.ema, self.process, self.class_names, path,
                         guidance=self.arguments.guidance)


def main():
    arguments = parse_arguments()
    if arguments.bf16 and not arguments.device.startswith("cuda"):
        raise SystemExit("--bf16 is for CUDA: most CPUs train faster in float32")
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    torch.set_flush_denormal(True)
    arguments.run.mkdir(parents=True, exist_ok=True)
    training = Training(arguments)
    runs.resume(training, arguments.run)
    _, stopped = runs.follow(
        training, arguments, "samples", sheets_count=False,  # a sheet takes minutes, which are no training
        rate=lambda: {"lr": round(arguments.lr * training.schedule(), 7)})
    training.save()
    if not stopped:
        training.draw()


if __name__ == "__main__":
    main()
