"""What every training run does: saves, goes on from its checkpoint, stops when it is asked to, keeps a log."""

import json
import os
import signal

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
