"""What a checkpoint says of its training: a command line, a configuration or hyperparameters, in it or beside it."""

import argparse
import json
import re

import torch
from inert import Record
from weights import Problem

# What is looked for, and the names that trainers give to it.
KEYS = {
    "model": ("model", "model_name", "model_type", "arch"),
    "path": ("path_type",),
    "prediction": ("prediction", "prediction_type", "pred_type", "objective", "parameterization", "model_mean_type"),
    "predict_xstart": ("predict_xstart",),
    "classes": ("num_classes", "n_classes", "nb_classes", "class_num", "num_class", "nclass"),
    "dropout": ("class_dropout_prob", "class_dropout", "label_dropout", "label_drop_prob", "cfg_prob", "uncond_prob",
                "p_uncond"),
    "learn_sigma": ("learn_sigma",),
    "heads": ("num_heads", "n_heads"),
    "schedule": ("noise_schedule", "beta_schedule"),
    "timesteps": ("diffusion_steps", "num_train_timesteps"),
    "guided_channels": ("cfg_channels", "guidance_channels", "cfg_channel"),
    "preconditioning": ("precond", "preconditioning"),
    "projection": ("proj_coeff", "enc_type", "projector_embed_dims"),
}
# What changes the network without leaving a tensor behind, if it is true.
UNSUPPORTED = ("use_rope", "rope", "use_qknorm", "qk_norm", "use_swiglu", "use_rmsnorm", "wo_shift", "use_cls_token")
# What other parts of a training, such as encoders, have as well: where two values differ, nothing is known.
SHARED = ("heads", "timesteps", "projection")
NAMES = {name: key for key, names in KEYS.items() for name in names} | {name: name for name in UNSUPPORTED}
# Where trainers write it beside their checkpoints, and the folders from which one goes one up.
SIDECARS = ("args.json", "config.json", "hparams.json", "config.yaml", "hparams.yaml", "args.yaml", "config.yml")
FOLDERS = ("checkpoints", "checkpoint", "ckpts", "ckpt", "weights")


class Training:
    """The values that were found, each with the name it had and the place it was found in."""

    def __init__(self):
        self.values, self.titles = {}, {}

    def add(self, path, key, name, value, place):
        title = f"{place} {name} {str(value)[:80]}".strip()
        if key == "model" and not (name == "model" or re.search("[ds]it", value.lower())):
            return
        if key in self.values and self.values[key] != value:
            if key in SHARED:
                self.values[key] = None
            if key in SHARED or key == "model":
                return
            raise Problem(f"{path}: says both {self.titles[key]} and {title}; save its state dict alone, or with one "
                          "of them")
        self.values.setdefault(key, value)
        self.titles.setdefault(key, title)

    def get(self, key, kind=str):
        """The value of a key; None if nothing is said or in another type."""
        value = self.values.get(key)
        if kind is int and isinstance(value, float) and value.is_integer():
            value = int(value)
        return value if isinstance(value, kind) and not (kind in (int, float) and isinstance(value, bool)) else None

    def said(self, *keys):
        """What was said under these keys, for messages."""
        return ", ".join(self.titles[key] for key in keys if key in self.titles)


def of(path, value):
    """What the object that was loaded from `path` says; where it says nothing, what a file beside it does."""
    training = Training()
    collect(path, value, training, "", set())
    if training.values:
        return training
    folder = path.resolve().parent
    folders = [folder, folder.parent] if folder.name.lower() in FOLDERS else [folder]
    for file in [path.with_suffix(".json"), *(folder / name for folder in folders for name in SIDECARS)]:
        if file.is_file() and file != path:
            collect(path, sidecar(file), training, file.name, set())
            if training.values:
                break
    return training


def collect(path, value, training, place, seen):
    """Looks through dicts, namespaces and lists for the names that are known; tensors are passed by."""
    if isinstance(value, torch.Tensor) or id(value) in seen:
        return
    if isinstance(value, (argparse.Namespace, Record)):
        seen.add(id(value))
        items = {name: item for name, item in vars(value).items() if name != "_parent"}
    elif isinstance(value, dict):
        seen.add(id(value))
        items = value
    else:
        for item in value if isinstance(value, (list, tuple)) else ():
            collect(path, item, training, place, seen)
        return
    for name, item in items.items():
        if not isinstance(name, str):
            continue
        item = plain(item)
        key = NAMES.get(name.lower().replace("-", "_"))
        if key and isinstance(item, str if key == "model" else (str, int, float, bool)):
            training.add(path, key, name, item, place)
        elif name not in ("param_groups", "state"):  # an optimizer's
            inner = "" if name.startswith("_") or isinstance(item, torch.Tensor) else name
            collect(path, item, training, ".".join(filter(None, (place, inner))), seen)


def plain(item):
    """The value of a configuration's node, or of a single number in a tensor."""
    if isinstance(item, Record) and "_val" in vars(item):
        return item._val
    return item


def sidecar(file):
    """What a JSON or YAML file says; of YAML, only lines of a key and a value are understood."""
    try:
        text = file.read_text(encoding="utf-8")
        if file.suffix == ".json":
            value = json.loads(text)
            if not isinstance(value, dict):
                return {}
            # A config.json of diffusers or of omnicache says nothing of the training.
            is_config = "_class_name" in value or {"hidden_size", "depth"} <= value.keys()
            return {} if is_config else value
    except (OSError, ValueError):
        return {}
    form = re.compile(r"\s*(?:- )?([A-Za-z_][\w-]*):\s+([^#\s][^#]*?)\s*(?:#.*)?$")
    lines = (form.match(line) for line in text.splitlines())
    return [{match[1]: scalar(match[2])} for match in lines if match]


def scalar(text):
    """A number, true or false, or a text, as YAML has them."""
    words = {"true": True, "false": False, "null": None, "~": None}
    if text.lower() in words:
        return words[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text.strip("\"'")
