"""Reading PyTorch checkpoints without running code in them, and writing safetensors that are compared afterwards."""

import json
import os
import pickle

import torch
from inert import allowed
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

DTYPES = {"keep": None, "float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
LOADABLE = (torch.float32, torch.float16, torch.bfloat16)
LFS_POINTER = b"version https://git-lfs"


class Problem(Exception):
    """What is wrong with the input, in one line that says what to do."""


def one_line(text):
    """A text for a terminal: on one line, with control characters that come from a file escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in " ".join(str(text).split()))


def load(path):
    """The object in a checkpoint: tensors, containers and plain values only; a dict of tensors from safetensors.

    Training scripts store their command line or configuration beside the weights, in classes of plain data (inert.py).
    """
    with open(path, "rb") as file:
        start = file.read(len(LFS_POINTER))
    if start == LFS_POINTER:
        raise Problem(f"{path}: a Git LFS pointer, not the file itself; fetch it with git lfs pull")
    if path.suffix == ".safetensors":
        try:
            return load_file(path)
        except SafetensorError as error:
            raise Problem(f"{path}: not a valid safetensors file: {error}") from None
    # Files of torch before 1.6 are no ZIP archives and cannot be mapped.
    mapped = start.startswith(b"PK")
    try:
        with torch.serialization.safe_globals(allowed()):
            return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as error:
        reason = next((line for line in str(error).splitlines() if "GLOBAL" in line or "Unsupported" in line), "")
        raise Problem(f"{path}: refused, as it holds more than weights and could run code: {reason.strip()} "
                      "Save its state dict alone, on a machine that trusts it") from None
    except (RuntimeError, EOFError, ValueError, KeyError) as error:
        raise Problem(f"{path}: not a readable PyTorch checkpoint ({str(error).splitlines()[0][:120]})") from None


def converted(path, name, tensor, dtype):
    """The tensor as it is to be written, of type `dtype` or its own; nothing may become infinite."""
    if not tensor.is_floating_point():
        raise Problem(f"{path}: {name} is of type {kind(tensor)}; the network needs floating-point numbers there")
    result = tensor.to(dtype or (torch.float32 if tensor.dtype == torch.float64 else tensor.dtype)).contiguous()
    if result.dtype not in LOADABLE:
        raise Problem(f"{path}: {name} is of type {kind(tensor)}; choose one with --dtype")
    if not torch.isfinite(result).all():
        what = "is not finite" if not torch.isfinite(tensor).all() else f"does not fit {kind(result)}"
        raise Problem(f"{path}: {name} {what}")
    return result


def kind(tensor):
    """The name of a tensor's element type."""
    return str(tensor.dtype).removeprefix("torch.")


def write(source, state, target, dtype, exact=()):
    """Writes safetensors, reads them back and compares; tensors named in `exact` are not narrowed to 16 bits.

    Returns the types that were written, in words.
    """
    tensors = {name: converted(source, name, tensor, dtype if name not in exact or dtype == torch.float32 else None)
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
    narrowed = sum(tensor.dtype == torch.float64 for tensor in state.values())
    return ", ".join(sorted({kind(tensor) for tensor in tensors.values()})) + (
        f" (narrowed from float64 in {narrowed} of {len(state)} tensors)" if narrowed else "")


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
