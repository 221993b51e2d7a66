"""Makes the models that omnicache and its peers are compared on: DiTs of published sizes, with random weights.

    subjects.py FOLDER PRECISION SIZE...

Each becomes a diffusers pipeline, which omnicache and PyTorch read as it is, and an ONNX file for the other two; for
int8 another one, quantised. What is there already is left.
"""

import shutil
import sys
from pathlib import Path

import torch

sys.path += [str(Path(__file__).resolve().parents[1] / part) for part in ("golden", "verify")]
import checkpoints  # noqa: E402

from places import SIZES, directory, onnx_file, partial  # noqa: E402

OPSET = 20  # the first that has GELU as one operation


class Forward(torch.nn.Module):
    """A transformer of diffusers' as a function of tensors alone."""

    def __init__(self, transformer):
        super().__init__()
        self.transformer = transformer

    def forward(self, latents, timesteps, classes):
        return self.transformer(latents, timestep=timesteps, class_labels=classes, return_dict=False)[0]


def write_onnx(transformer, path):
    """A guided forward, of two entries, as an ONNX file with its weights beside it."""
    path.parent.mkdir()
    inputs = (torch.randn(2, 4, 32, 32), torch.tensor([500, 500]), torch.tensor([1, 1000]))
    torch.onnx.export(Forward(transformer), inputs, str(path), opset_version=OPSET, dynamo=False,
                      input_names=["latents", "timesteps", "classes"], output_names=["output"])


def make(folder, size):
    """The files of one size; under another name until they are whole."""
    if directory(folder, size).exists():
        return
    unfinished = partial(folder)
    pipe, made = checkpoints.pipeline("made", SIZES[size], checkpoints.autoencoder(), unfinished)
    write_onnx(pipe.transformer, onnx_file(unfinished, "made"))
    # The pipeline comes last, so that an ONNX file without one is what an interruption left.
    onnx = onnx_file(folder, size).parent
    if onnx.exists():
        shutil.rmtree(onnx)
    onnx_file(unfinished, "made").parent.rename(onnx)
    made.rename(directory(folder, size))
    unfinished.rmdir()


def quantise(folder, size):
    """The ONNX file of one size as ONNX Runtime quantises it for transformers: weights per output channel,
    activations on the fly."""
    path = onnx_file(folder, size, "int8")
    if path.parent.exists():
        return
    from onnxruntime.quantization import QuantType, quantize_dynamic
    unfinished = partial(folder)
    quantize_dynamic(onnx_file(folder, size), unfinished / path.name, weight_type=QuantType.QInt8, per_channel=True,
                     op_types_to_quantize=["MatMul", "Gemm"], use_external_data_format=True)
    unfinished.rename(path.parent)


def main():
    folder, precision, sizes = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    with torch.no_grad():
        for size in sizes:
            make(folder, size)
            if precision == "int8":
                quantise(folder, size)


if __name__ == "__main__":
    main()
