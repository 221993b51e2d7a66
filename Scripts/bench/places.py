"""Where things lie, and the sizes that are compared; free of heavy imports."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SIZES = {"S/2": (12, 384, 6), "B/2": (12, 768, 12), "XL/2": (28, 1152, 16)}  # depth, width, heads
PEERS = {"torch": "PyTorch", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO"}
# The peers that multiply in each precision.
PRECISIONS = {"float32": ["torch", "onnxruntime", "openvino"], "bfloat16": ["torch", "openvino"],
              "int8": ["onnxruntime"]}


def directory(folder, size):
    """The diffusers pipeline of a size."""
    return folder / size.replace("/", "-")


def onnx_file(folder, size, precision="float32"):
    """Its transformer for ONNX Runtime and OpenVINO, quantised where it is in int8."""
    kind = "onnx-int8" if precision == "int8" else "onnx"
    return folder / f"{size.replace('/', '-')}-{kind}" / "model.onnx"


def partial(folder):
    """An empty folder for what is renamed when it is whole; what an interruption left there is removed."""
    made = folder / "partial"
    if made.exists():
        shutil.rmtree(made)
    made.mkdir()
    return made


def embedded_model():
    """The embedded class model."""
    return ROOT / "Models" / "emoji-dit-s8"
