"""Makes guided forwards of one peer when asked to, as `omnicache bench --on-request` makes omnicache's.

    peer.py NAME PIPELINE ONNX THREADS

Reads one JSON object a line and answers each with a line that has `seconds`. What an object leaves out stays as before:

  latents   a safetensors file
  timestep  what the model is told
  class     the image's class
  steps     a guided run of so many DDIM steps from the latents, with the guidance scale in `guidance`, in place of a
            forward (PyTorch alone)
  output    the safetensors file to write the results to
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

NULL_CLASS = 1000


class PyTorch:
    """diffusers' transformer, eager."""

    def __init__(self, pipeline, _, threads):
        import torch
        from diffusers import DDIMScheduler, DiTTransformer2DModel
        self.torch = torch
        torch.set_num_threads(threads)
        self.model = DiTTransformer2DModel.from_pretrained(pipeline / "transformer", low_cpu_mem_usage=False).eval()
        self.scheduler = DDIMScheduler.from_pretrained(pipeline / "scheduler")
        self.version = torch.__version__

    def forward(self, latents, timesteps, classes):
        torch = self.torch
        with torch.inference_mode():
            return self.model(torch.from_numpy(latents), timestep=torch.from_numpy(timesteps),
                              class_labels=torch.from_numpy(classes), return_dict=False)[0].numpy()

    def loop(self, latents, label, steps, guidance):
        """The latents after a guided run, as diffusers' DiTPipeline makes it."""
        sys.path.append(str(Path(__file__).resolve().parents[1] / "golden"))
        import guided_runs
        torch = self.torch
        with torch.inference_mode():
            return guided_runs.sample(
                lambda x, t, y: self.model(x, timestep=t, class_labels=y, return_dict=False)[0],
                self.scheduler, torch.from_numpy(latents), label, NULL_CLASS, guidance, steps).numpy()


class ONNXRuntime:
    """ONNX Runtime's CPU provider, with all of its graph optimisations."""

    def __init__(self, _, onnx, threads):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(onnx), options, providers=["CPUExecutionProvider"])
        self.version = onnxruntime.__version__

    def forward(self, latents, timesteps, classes):
        inputs = {"latents": latents, "timesteps": timesteps, "classes": classes}
        return self.session.run(None, inputs)[0]


class OpenVINO:
    """OpenVINO's CPU plugin for latency, in float32, which is not its default everywhere."""

    def __init__(self, _, onnx, threads):
        import openvino
        settings = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY",
                    "INFERENCE_NUM_THREADS": threads}
        self.request = openvino.Core().compile_model(str(onnx), "CPU", settings).create_infer_request()
        self.version = openvino.__version__.split("-")[0]

    def forward(self, latents, timesteps, classes):
        self.request.infer([latents, timesteps, classes], share_inputs=True)
        return self.request.get_output_tensor().data


PEERS = {"torch": PyTorch, "onnxruntime": ONNXRuntime, "openvino": OpenVINO}


def main():
    name, pipeline, onnx, threads = sys.argv[1:]
    peer = PEERS[name](Path(pipeline), Path(onnx), int(threads))
    print(json.dumps({"version": peer.version}), flush=True)
    state, latents = {}, None
    for line in sys.stdin:
        request = json.loads(line)
        state |= request
        if "latents" in request:
            (latents,) = load_file(request["latents"]).values()
            latents = latents.reshape(latents.shape[-3:])
        start = time.perf_counter()
        if "steps" in request:
            results = {"latents": peer.loop(latents, state["class"], request["steps"], request["guidance"])}
        else:
            output = peer.forward(np.stack([latents, latents]), np.array([state["timestep"]] * 2, dtype=np.int64),
                                  np.array([state["class"], NULL_CLASS], dtype=np.int64))
            results = {"conditional": output[0], "unconditional": output[1]}
        seconds = time.perf_counter() - start
        if "output" in request:
            save_file({key: np.ascontiguousarray(value) for key, value in results.items()}, request["output"])
        print(json.dumps({"seconds": seconds}), flush=True)


if __name__ == "__main__":
    main()
