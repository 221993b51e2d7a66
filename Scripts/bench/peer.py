"""Makes guided forwards of one peer when asked to, as `omnicache bench --on-request` makes omnicache's.

    peer.py NAME PIPELINE ONNX THREADS PRECISION

Reads one JSON object a line and answers each with a line that has `seconds`. What an object leaves out stays as before:

  latents   a safetensors file
  timestep  what the model is told
  class     the image's class
  steps     a guided run of so many DDIM steps from the latents, with the guidance scale in `guidance`, in place of a
            forward
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
    """diffusers' transformer, eager; its weights and activations in the precision."""

    def __init__(self, pipeline, _, threads, precision):
        import torch
        from diffusers import DiTTransformer2DModel
        self.torch, self.type = torch, getattr(torch, precision)
        torch.set_num_threads(threads)
        self.model = DiTTransformer2DModel.from_pretrained(pipeline / "transformer", torch_dtype=self.type,
                                                           low_cpu_mem_usage=False).eval()
        self.version = torch.__version__

    def forward(self, latents, timesteps, classes):
        torch = self.torch
        with torch.inference_mode():
            return self.model(torch.from_numpy(latents).to(self.type), timestep=torch.from_numpy(timesteps),
                              class_labels=torch.from_numpy(classes), return_dict=False)[0].float().numpy()


class ONNXRuntime:
    """ONNX Runtime's CPU provider, with all of its graph optimisations; the file says what is in int8."""

    def __init__(self, _, onnx, threads, precision):
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
    """OpenVINO's CPU plugin for latency; its default is bfloat16 where the processor has it."""

    def __init__(self, _, onnx, threads, precision):
        import openvino
        settings = {"INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[precision],
                    "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
        self.request = openvino.Core().compile_model(str(onnx), "CPU", settings).create_infer_request()
        self.version = openvino.__version__.split("-")[0]

    def forward(self, latents, timesteps, classes):
        self.request.infer([latents, timesteps, classes], share_inputs=True)
        return self.request.get_output_tensor().data


PEERS = {"torch": PyTorch, "onnxruntime": ONNXRuntime, "openvino": OpenVINO}


class Loop:
    """The guided run of diffusers' DiTPipeline around a peer's forward."""

    def __init__(self, peer, pipeline):
        sys.path.append(str(Path(__file__).resolve().parents[1] / "golden"))
        import guided_runs
        import torch
        from diffusers import DDIMScheduler
        self.torch, self.sample = torch, guided_runs.sample
        self.scheduler = DDIMScheduler.from_pretrained(pipeline / "scheduler")
        self.model = lambda *tensors: torch.from_numpy(peer.forward(*(tensor.numpy() for tensor in tensors)))

    def run(self, latents, label, steps, guidance):
        """The latents at the end."""
        with self.torch.inference_mode():
            return self.sample(self.model, self.scheduler, self.torch.from_numpy(latents), label, NULL_CLASS, guidance,
                               steps).numpy()


def main():
    name, pipeline, onnx, threads, precision = sys.argv[1:]
    peer = PEERS[name](Path(pipeline), Path(onnx), int(threads), precision)
    print(json.dumps({"version": peer.version}), flush=True)
    state, latents, loop = {}, None, None
    for line in sys.stdin:
        request = json.loads(line)
        state |= request
        if "latents" in request:
            (latents,) = load_file(request["latents"]).values()
            latents = latents.reshape(latents.shape[-3:])
        if "steps" in request:
            loop = loop or Loop(peer, Path(pipeline))
        start = time.perf_counter()
        if "steps" in request:
            results = {"latents": loop.run(latents, state["class"], request["steps"], request["guidance"])}
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
