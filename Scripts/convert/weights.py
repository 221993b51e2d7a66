"""Reading PyTorch checkpoints without running code in them, and writing safetensors that are compared afterwards."""

import argparse
import json
import os
import pickle

import torch
from safetensors import safe_open
from safetensors.torch import save_file

DTYPES = {"keep": None, "float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
LFS_POINTER = b"version https://git-lfs"


class Problem(Exception):
    """What is wrong with the input, in one line that says what to do."""


def load(path):
    """The object in a checkpoint: tensors, containers and plain values only.

    Training scripts store their command line beside the weights, as an argparse.Namespace: a class without behaviour.
    """
    with open(path, "rb") as file:
        start = file.read(len(LFS_POINTER))
    if start == LFS_POINTER:
        raise Problem(f"{path}: a Git LFS pointer, not the file itself; fetch it with git lfs pull")
    # Files of torch before 1.6 are no ZIP archives and cannot be mapped.
    mapped = start.startswith(b"PK")
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as error:
        reason = next((line for line in str(error).splitlines() if "GLOBAL" in line or "Unsupported" in line), "")
        raise Problem(f"{path}: refused, as it holds more than weights and could run code: {reason.strip()} "
                      "Save its state dict alone, on a machine that trusts it") from None
    except (RuntimeError, EOFError, ValueError, KeyError) as error:
        raise Problem(f"{path}: not a readable PyTorch checkpoint ({str(error).splitlines()[0][:120]})") from None


def without_prefixes(state):
    """A state dict without what wrappers for several devices and compilation put before the names."""
    for prefix in ("module.", "_orig_mod."):
        if state and all(name.startswith(prefix) for name in state):
            state = {name[len(prefix):]: tensor for name, tensor in state.items()}
    return state


def tensors_only(path, state):
    """Checks that `state` maps names to tensors of real numbers."""
    if not isinstance(state, dict) or not state or not all(isinstance(t, torch.Tensor) for t in state.values()):
        raise Problem(f"{path}: holds no state dict: names mapped to tensors, by themselves or under 'ema' or 'model'")
    return state


def converted(path, name, tensor, dtype):
    """The tensor as it is to be written; floating-point numbers change to `dtype`, nothing may become infinite."""
    if not tensor.is_floating_point():
        return tensor.contiguous()
    result = tensor.to(dtype or tensor.dtype).contiguous()
    if result.dtype not in (torch.float32, torch.float16, torch.bfloat16):
        raise Problem(f"{path}: {name} is of type {result.dtype}; choose one with --dtype")
    if not torch.isfinite(result).all():
        what = "is not finite" if not torch.isfinite(tensor).all() else f"does not fit {result.dtype}"
        raise Problem(f"{path}: {name} {what}")
    return result


def write(source, state, target, dtype, exact=()):
    """Writes safetensors, reads them back and compares; tensors named in `exact` keep their type."""
    tensors = {name: converted(source, name, tensor, None if name in exact else dtype)
               for name, tensor in state.items()}
    # Tied tensors, which share their memory, would be refused: each name gets its own.
    seen = set()
    for name, tensor in tensors.items():
        if tensor.data_ptr() in seen:
            tensors[name] = tensor.clone()
        seen.add(tensor.data_ptr())
    save_file(tensors, target, metadata={"format": "pt"})
    mask = os.umask(0)  # save_file makes a file that its owner alone can read
    os.umask(mask)
    target.chmod(0o666 & ~mask)
    with safe_open(target, framework="pt") as file:
        if set(file.keys()) != set(state):
            raise Problem(f"{target}: holds other names than were written")
        for name, tensor in state.items():
            read = file.get_tensor(name)
            if read.shape != tensor.shape or not torch.equal(read, tensor.to(read.dtype)):
                raise Problem(f"{target}: {name} differs from {source}")


def read_json(path):
    """The object in a JSON file."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise Problem(f"{path}: no such file") from None
    if text.startswith(LFS_POINTER.decode()):
        raise Problem(f"{path}: a Git LFS pointer, not the file itself; fetch it with git lfs pull")
    try:
        value = json.loads(text)
    except ValueError as error:
        raise Problem(f"{path}: not JSON: {error}") from None
    if not isinstance(value, dict):
        raise Problem(f"{path}: not a JSON object")
    return value
