"""Trains the embedded text-to-image model on scenes of emoji, on a CPU or a CUDA GPU.

    python train.py RUN --minutes 600                                  # a CPU
    python train.py RUN --minutes 9 --device cuda --compile            # a large GPU

A run lives in one folder: data (prepared if missing), checkpoint.pt (everything that the run needs
to go on), log.jsonl and sheets of samples. Started again with the same folder, it goes on where it
was. The learning rate follows the time, or the scenes with `--scenes`: it rises for the first steps,
stays, and falls as half a cosine over the last part.
"""

import argparse
import math
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import torch

sys.path.append(str(Path(__file__).resolve().parents[1]))  # optimizers.py, runs.py

import flow
import optimizers
import runs
import scenes
import sheet
from mmjit import MMJiTConfig
from t5 import T5Config
from unigram import Unigram
import writer

WARM_UP_STEPS = 200
LR, ADAM_LR, LR_BATCH = 2.5e-3, 1.2e-3, 128  # for batches of 128
AVERAGE = 25  # the averaged weights look back over 1 / AVERAGE of the scenes seen


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("run", type=Path, help="the folder of the run; one that has a checkpoint goes on")
    add("--data", type=Path, help="the prepared data (default: RUN/data, prepared if missing)")
    add("--minutes", type=float, required=True, help="training time in all, start and compiling included")
    add("--scenes", type=float, default=math.inf, help="end after this many scenes, if that is sooner")
    add("--decay", type=float, default=0.7, help="the share of the run with a falling learning rate")
    add("--batch", type=int, help="scenes a step (default: 64 on a CPU, 512 on a GPU)")
    add("--lr", type=float, help="peak learning rate of Muon (default: by the batch)")
    add("--adam-lr", type=float, help="that of AdamW (default: by the batch)")
    add("--weight-decay", type=float, default=0.01)
    add("--start-from", type=Path, metavar="FILE",
        help="begin with the averaged weights of this checkpoint.pt or average-*.pt")
    add("--steepness", type=float, default=0.0, help="how much more often well-known objects are drawn")
    add("--width", type=int, default=256, help="of the transformer (default: %(default)s)")
    add("--depth", type=int, default=6, help="its joint blocks (default: %(default)s)")
    add("--text-width", type=int, default=192, help="of the text encoder (default: %(default)s)")
    add("--seed", type=int, default=0)
    add("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    add("--compile", action="store_true", help="compile the model (CUDA only)")
    add("--float32", action="store_true", help="no bfloat16 products")
    add("--log-every", type=float, default=60, metavar="SECONDS")
    add("--save-every", type=float, default=300, metavar="SECONDS", help="checkpoints")
    add("--sheet-every", type=float, default=1800, metavar="SECONDS", help="sheets of samples")
    add("--keep-every", type=float, default=math.inf, metavar="SECONDS",
        help="averaged weights kept by the number of scenes, for a curve of scores; always at the end")
    return parser.parse_args()


class Training:
    """The state of a run: model, average, optimisers, random numbers and counters."""

    def __init__(self, arguments, data):
        self.arguments = arguments
        self.device = torch.device(arguments.device)
        torch.manual_seed(arguments.seed)
        prepared = scenes.load(data / "scenes.npz")
        self.tokenizer = Unigram(data / "spiece.model")
        self.scenes = scenes.Scenes(prepared, self.device, arguments.seed, arguments.steepness)
        heads = arguments.width // 64
        self.text_config = T5Config(int(prepared["vocabulary"]), arguments.text_width)
        self.image_config = MMJiTConfig(
            txt_input_size=arguments.text_width, hidden_size=arguments.width, num_heads=heads,
            txt_hidden_size=arguments.width, depth_double=arguments.depth)
        self.model = flow.TextToImage(self.text_config, self.image_config).to(self.device)
        self.quiet_unused_pieces()
        if arguments.start_from:
            self.model.load_state_dict(sheet.read_checkpoint(arguments.start_from).state_dict())
        self.ema = flow.TextToImage(self.text_config, self.image_config).to(self.device)
        self.ema.load_state_dict(self.model.state_dict())
        self.ema.eval().requires_grad_(False)
        self.forward = torch.compile(self.model) if arguments.compile else self.model
        self.precision = None if arguments.float32 else torch.bfloat16
        self.batch = arguments.batch or (512 if self.device.type == "cuda" else 64)
        self.optimizers = self.make_optimizers()
        self.noise = torch.Generator(self.device).manual_seed(arguments.seed + 1)
        self.step, self.seen, self.seconds = 0, 0, 0.0

    def quiet_unused_pieces(self):
        """Zero embeddings for pieces that no caption has: unknown words stay silent, not random."""
        used = torch.zeros(self.text_config.vocab_size, dtype=torch.bool, device=self.device)
        used[self.scenes.phrase_tokens.clamp(min=0).unique()] = True
        used[[writer.PAD, writer.END]] = True
        with torch.no_grad():
            self.model.text_encoder.shared.weight[~used] = 0

    def make_optimizers(self):
        """Muon for the matrices inside the blocks, AdamW for all that is left."""
        matrices, rest = [], []
        for name, p in self.model.named_parameters():
            inside = "block" in name and p.dim() == 2 and "relative" not in name
            (matrices if inside else rest).append(p)
        a = self.arguments
        rates = optimizers.peaks(a, LR, ADAM_LR, LR_BATCH, self.batch)
        return optimizers.make(matrices, rest, *rates, (0.9, 0.98), a.weight_decay,
                               self.precision or torch.float32, fused=self.device.type == "cuda")

    def progress(self):
        """How much of the run is done, 0 to 1."""
        return max(self.seconds / (60 * self.arguments.minutes), self.seen / self.arguments.scenes)

    def schedule(self):
        """The share of the peak learning rate at this step."""
        warm = min(1.0, (self.step + 1) / WARM_UP_STEPS)
        return warm * optimizers.half_cosine(self.progress(), self.arguments.decay)

    def train_step(self):
        """One step; returns its loss, without waiting for the device."""
        optimizers.set_share(self.optimizers, self.schedule())
        x0, tokens = self.scenes.batch(self.batch)
        t, x = flow.noisy(x0, self.noise)
        keep = torch.rand(self.batch, generator=self.noise, device=self.device) >= flow.DROP
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision is not None):
            prediction = self.forward(x, tokens, keep)
        loss = flow.loss(prediction, x0, t)
        for optimizer in self.optimizers:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
        self.step += 1
        self.seen += self.batch
        weight = min(1.0, AVERAGE * self.batch / (self.seen + AVERAGE * self.batch))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.ema.parameters()), list(self.model.parameters()), weight)
        # Not finite, either, if this step has spoilt the weights.
        return {"loss": loss.detach() + 0 * norm}

    def save(self, loss):
        """Everything that the run needs to go on; never a run that has lost its way."""
        if not torch.isfinite(loss):
            raise SystemExit(f"the loss is {loss.item()} at step {self.step}: start again from the last "
                             "checkpoint, with a smaller --lr")
        runs.save_atomically({
            "text_config": asdict(self.text_config), "image_config": asdict(self.image_config),
            "model": self.model.state_dict(), "ema": self.ema.state_dict(),
            "optimizers": [o.state_dict() for o in self.optimizers],
            "scenes_generator": self.scenes.generator.get_state(),
            "noise_generator": self.noise.get_state(), "device": self.device.type,
            "step": self.step, "seen": self.seen, "seconds": self.seconds,
        }, self.arguments.run / "checkpoint.pt")

    def load(self, path):
        """Goes on from a checkpoint. On a device of another type the random numbers begin anew."""
        state = torch.load(path, map_location="cpu", weights_only=True)
        if (state["text_config"], state["image_config"]) != (asdict(self.text_config), asdict(self.image_config)):
            raise SystemExit(f"{path} is of a model of another size or vocabulary: "
                             "give the options it was started with, or another folder")
        self.model.load_state_dict(state["model"])
        self.ema.load_state_dict(state["ema"])
        optimizers.load(self.optimizers, state["optimizers"])
        self.step, self.seen, self.seconds = state["step"], state["seen"], state["seconds"]
        if state["device"] == self.device.type:
            self.scenes.generator.set_state(state["scenes_generator"])
            self.noise.set_state(state["noise_generator"])
        else:
            self.scenes.generator.manual_seed(self.arguments.seed + self.seen)
            self.noise.manual_seed(self.arguments.seed + self.seen + 1)

    def draw(self):
        """A sheet of fixed captions by the averaged model, named by the scenes seen."""
        tokens = sheet.encode(self.tokenizer, sheet.CAPTIONS).to(self.device)
        images = flow.sample(self.ema, tokens, dtype=self.precision)
        sheet.save(sheet.to_bytes(images), self.arguments.run / f"sheet-{self.seen:09}.png")

    def keep(self):
        """The averaged weights alone, in half precision."""
        runs.save_atomically({
            "text_config": asdict(self.text_config), "image_config": asdict(self.image_config),
            "ema": {name: tensor.half() for name, tensor in self.ema.state_dict().items()},
        }, self.arguments.run / f"average-{self.seen:09}.pt")


def main():
    started = time.monotonic()
    arguments = parse_arguments()
    runs.check_compile(arguments)
    torch.set_flush_denormal(True)
    torch.set_float32_matmul_precision("high")
    arguments.run.mkdir(parents=True, exist_ok=True)
    data = arguments.data or arguments.run / "data"
    if not (data / "scenes.npz").exists():
        subprocess.run([sys.executable, Path(__file__).with_name("prepare.py"), data], check=True)
    training = Training(arguments, data)
    runs.resume(training, arguments.run)
    loss, stopped = runs.follow(
        training, arguments, "scenes", started=started,  # starting and compiling count as training time
        keep_every=arguments.keep_every)
    if loss is not None:
        training.save(loss)
    if not stopped:
        training.keep()
        training.draw()


if __name__ == "__main__":
    main()
