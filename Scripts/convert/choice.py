"""Which files of a directory are its weights: the rule of weights-format.md, for safetensors and for PyTorch's .bin."""

import re

from weights import Problem, load, read_json

USUAL = ("diffusion_pytorch_model", "model")
FORMATS = ("safetensors", "bin")


class File:
    """The name of a weight file or of an index, taken apart."""

    def __init__(self, name):
        words = name.split(".")
        self.name = name
        self.format = next((word for word in words[1:] if word in FORMATS), None)
        end = words[words.index(self.format) + 1:] if self.format else ["?"]
        self.is_index = "index" in end and end[-1] == "json"
        self.counts = bool(words[0]) and (self.is_index or not end)
        self.is_shard = any((match := re.search(r"-(\d+)-of-(\d+)$", word)) and int(match[2]) > 1 for word in words)
        stem, *rest = [word for word in words if word not in (self.format, "index", "json")]
        self.stem = "model" if stem == "pytorch_model" else stem
        self.variant = ".".join(rest) or None


def variants(folder):
    """The variants in which the weights in a folder are there."""
    return {file.variant for file in files(folder) if file.variant and not file.is_shard}


def files(folder):
    return sorted((file for path in folder.iterdir() if (file := File(path.name)).counts), key=lambda file: file.name)


def choose(folder, variant):
    """The chosen file: an index, or a file by itself."""
    def ambiguous(candidates):
        names = ", ".join(file.name for file in candidates)
        return Problem(f"{folder}: cannot choose between {names}; keep the one that is meant in this directory")

    found = files(folder)
    whole = [file for file in found if not file.is_shard]
    usual = [file for file in whole if file.stem in USUAL]
    candidates = usual or [file for file in whole if file.is_index] or whole
    if not candidates:
        raise Problem(f"{folder}: {found[0].name} is one of several files, but their index is missing" if found else
                      f"{folder}: no weights: diffusion_pytorch_model.bin, .safetensors or an index of shards")
    if len({file.stem for file in candidates}) > 1:
        raise ambiguous(candidates)
    candidates = [file for file in whole if file.stem == candidates[0].stem]
    there = {file.variant for file in candidates}
    chosen = variant if variant in there else None
    if chosen not in there:
        if len(there) > 1:
            raise Problem(f"{folder}: the weights are there as {', '.join(sorted(there))} and not plain; choose one "
                          "with --variant NAME")
        chosen = there.pop()
    candidates = [file for file in candidates if file.variant == chosen]
    format = next(format for format in FORMATS if any(file.format == format for file in candidates))
    candidates = [file for file in candidates if file.format == format]
    indices = [file for file in candidates if file.is_index]
    single = [file for file in candidates if not file.is_index]
    if len(indices) > 1 or len(single) > 1:
        raise ambiguous(indices if len(indices) > 1 else single)
    if indices:
        check_shards(folder / indices[0].name, single)
    return (indices or single)[0]


def check_shards(path, single):
    """Every shard of an index must lie beside it."""
    for shard in shards(path):
        if not (path.parent / shard).exists():
            other = f", but there is {single[0].name}; fetch the shards, or remove the index if that file is meant" if (
                single) else "; put it beside the index"
            raise Problem(f"{path}: the shard {shard} is missing{other}")


def shards(path):
    """The names of the files that an index lists, each with its tensors."""
    names = read_json(path).get("weight_map")
    if not isinstance(names, dict) or not names:
        raise Problem(f"{path}: not a valid index: it has no object weight_map")
    result = {}
    for tensor, shard in names.items():
        if not isinstance(shard, str) or "/" in shard or "\0" in shard or File(shard).format is None:
            raise Problem(f"{path}: the shard of {tensor} is not the name of a file beside the index")
        result.setdefault(shard, []).append(tensor)
    return result


def read(folder, variant):
    """What the weights of a folder hold, and the name of the file that was chosen."""
    file = choose(folder, variant)
    path = folder / file.name
    if not file.is_index:
        return load(path), file.name
    state = {}
    for shard, names in sorted(shards(path).items()):
        found = load(folder / shard)
        for name in names:
            if not isinstance(found, dict) or name not in found:
                raise Problem(f"{path}: says that {name} is in {shard}, which lacks it")
            state[name] = found[name]
    return state, file.name
