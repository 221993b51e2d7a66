"""Where things lie, and the sizes that are compared; free of heavy imports."""

import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SIZES = {"S/2": (12, 384, 6), "B/2": (12, 768, 12), "XL/2": (28, 1152, 16)}  # depth, width, heads
PEERS = {"torch": "PyTorch", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO"}


def directory(folder, size):
    """The diffusers pipeline of a size."""
    return folder / size.replace("/", "-")


def onnx_file(folder, size):
    """Its transformer for ONNX Runtime and OpenVINO."""
    return folder / f"{size.replace('/', '-')}-onnx" / "model.onnx"


def partial(folder):
    """An empty folder for what is renamed when it is whole; what an interruption left there is removed."""
    made = folder / "partial"
    if made.exists():
        shutil.rmtree(made)
    made.mkdir()
    return made


def embedded_model():
    """The only model under Models/."""
    (config,) = (ROOT / "Models").glob("*/config.json")
    return config.parent
