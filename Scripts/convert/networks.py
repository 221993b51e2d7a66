"""Finding the networks in what a trainer saved: nested dicts, and names with the words of a module's wrappers."""

from dataclasses import dataclass

import torch
from weights import Problem

# What PyTorch's and DeepSpeed's wrappers put into names, at any place and in any order. The binary names the same.
WRAPPERS = {"module", "_orig_mod", "_fsdp_wrapped_module", "_forward_module", "_checkpoint_wrapped_module"}
# By these tensors a network is found; what stands before them is where it lies.
ANCHORS = {"official": "x_embedder.proj.weight", "diffusers": "pos_embed.proj.weight"}


@dataclass
class Network:
    """A state dict that was found, by its bare names."""
    place: str  # what stood before the names, such as "ema"; "" for nothing
    layout: str
    tensors: dict

    @property
    def is_average(self):
        """Whether the place says that these are exponential averages."""
        return any("ema" in word.split("_") or word.startswith("ema") or word == "averaged_model"
                   for word in self.place.lower().split("."))

    @property
    def title(self):
        return f"{self.place or 'the file itself'}, {'averages' if self.is_average else 'raw weights'}"


def bare(name):
    """A name without the words of wrappers."""
    return ".".join(word for word in name.split(".") if word not in WRAPPERS)


def flatten(path, value, prefix=""):
    """All tensors in nested dicts by their bare names: keys and names joined by dots."""
    tensors = {}
    for key, item in value.items():
        if not isinstance(key, str):
            continue
        name = bare(prefix + key)
        found = {name: item} if isinstance(item, torch.Tensor) else {}
        if isinstance(item, dict):
            found = flatten(path, item, prefix + key + ".")
        for name, tensor in found.items():
            if name in tensors and not (tensors[name].shape == tensor.shape and torch.equal(tensors[name], tensor)):
                raise Problem(f"{path}: two different tensors are {name} without the words of wrappers; save one of "
                              "the models alone")
            tensors[name] = tensor
    return tensors


def find(path, value):
    """The networks in a loaded object, and by the first word of their names how many other tensors there are."""
    if not isinstance(value, dict):
        raise Problem(f"{path}: holds no state dict: names mapped to tensors, by themselves or under 'ema' or 'model'")
    tensors = flatten(path, value)
    if not tensors:
        raise Problem(f"{path}: holds no state dict: names mapped to tensors, by themselves or under 'ema' or 'model'")
    networks = []
    for layout, anchor in ANCHORS.items():
        networks += [Network(name[:-len(anchor)].rstrip("."), layout, {}) for name in tensors
                     if name == anchor or name.endswith("." + anchor)]
    rest = {}
    for name, tensor in tensors.items():
        # A tensor belongs to the innermost network that its name lies in.
        owner = max((n for n in networks if not n.place or name.startswith(n.place + ".")),
                    key=lambda n: len(n.place), default=None)
        if owner:
            owner.tensors[name[len(owner.place) + 1 if owner.place else 0:]] = tensor
        else:
            rest.setdefault(name.split(".")[0], []).append(name)
    # The state of what is inside an outermost network's dict, such as an optimizer's, is none of its tensors.
    for network in networks:
        if not network.place:
            for word in [key for key, item in value.items() if isinstance(item, dict) and bare(key)]:
                for name in [name for name in network.tensors if name.startswith(bare(word) + ".")]:
                    rest.setdefault(word, []).append(name)
                    del network.tensors[name]
    return networks, tensors, rest


def choose(path, networks, tree=None):
    """The network to convert: the one in the place `tree`, else the only averages, else the only raw weights."""
    places = ", ".join(network.place or "the file itself" for network in networks)
    if tree is not None:
        named = [network for network in networks if network.place == bare(tree)]
        if not named:
            raise Problem(f"{path}: --tree {tree}: no network is there; there is one in: {places}")
        return named[0]
    candidates = [network for network in networks if network.is_average] or networks
    if len(candidates) > 1:
        raise Problem(f"{path}: holds several networks, in {places}; choose one with --tree")
    return candidates[0]
