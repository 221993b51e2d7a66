"""The processes that a model can be trained to undo, by the names that `--process` takes."""

from diffusion import Diffusion
from flow import Flow

BY_NAME = {process.name: process for process in (Diffusion, Flow)}


def name(description):
    """That of a parsed config.json or of a checkpoint; older checkpoints do not name theirs."""
    flows = description.get("prediction_type") == Flow.fields["prediction_type"]
    return description.get("process", Flow.name if flows else Diffusion.name)
