"""What every training run does: steps, saves, goes on from its checkpoint, stops when it is asked to, keeps a log."""

import json
import os
import signal
import time

import torch


def save_atomically(value, path):
    """torch.save under a temporary name, then a rename: a checkpoint is whole or absent."""
    temporary = f"{path}.partial"
    torch.save(value, temporary)
    os.replace(temporary, path)


def resume(training, run):
    """Loads the checkpoint of the folder `run`, if there is one."""
    checkpoint = run / "checkpoint.pt"
    if checkpoint.exists():
        training.load(checkpoint)


def check_compile(arguments):
    """Ends a run that is to be compiled for a CPU."""
    if arguments.compile and not arguments.device.startswith("cuda"):
        raise SystemExit("--compile is for CUDA: on a CPU it takes minutes, and PyTorch 2.13 made NaN of the loss")


def watch_signals():
    """Returns a list that is empty until the run is asked to end."""
    stopped = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.append(True))
    return stopped


def log(run, line):
    """Prints a line and adds it to the log of the folder `run`."""
    text = json.dumps(line)
    print(text, flush=True)
    with open(run / "log.jsonl", "a", encoding="utf-8") as file:
        file.write(text + "\n")


def save_image(image, path):
    """A PNG under a temporary name, then a rename."""
    temporary = f"{path}.partial"
    image.save(temporary, format="PNG", optimize=True)
    os.replace(temporary, path)


def follow(training, arguments, unit, started=None, sheets_count=True, rate=None, keep_every=None):
    """Steps until the run is done or is asked to end; logs, saves and draws now and then.

    `training` has `progress()`, `train_step()`, which returns its figures by name, `loss` among them, `save(loss)`,
    `draw()`, and the counters `step`, `seen` and `seconds`; `unit` is what it has seen. The time since `started` counts
    as training, that of sheets if `sheets_count`. `rate()` is what the log says of the learning rate, its share of the
    peak unless given. With `keep_every`, `training.keep()` is called as often.

    Returns the last loss, None without a step, and whether the run was asked to end.
    """
    stopped = watch_signals()
    now = time.monotonic()
    last = now if started is None else started
    logged = saved = drawn = kept = now
    loss, lines, since = None, [], training.seen
    while training.progress() < 1 and not stopped:
        figures = training.train_step()
        loss = figures["loss"]
        lines.append(figures)
        now = time.monotonic()
        training.seconds += now - last
        last = now
        if now - logged >= arguments.log_every:
            means = {name: round(torch.stack([line[name] for line in lines]).mean().item(), 5) for name in figures}
            log(arguments.run, {
                "step": training.step, unit: training.seen, "minutes": round(training.seconds / 60, 2), **means,
                **(rate() if rate else {"lr_share": round(training.schedule(), 4)}),
                f"{unit}_per_second": round((training.seen - since) / (now - logged), 1)})
            lines, since, logged = [], training.seen, now
        if now - saved >= arguments.save_every:
            training.save(loss)
            saved = now
        if now - drawn >= arguments.sheet_every:
            training.draw()
            drawn = now
            if not sheets_count:
                drawn = last = time.monotonic()
        if keep_every is not None and now - kept >= keep_every:
            training.keep()
            kept = now
    return loss, bool(stopped)
