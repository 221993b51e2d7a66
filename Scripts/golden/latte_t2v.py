"""Writes the golden text-to-video models: tiny LatteT2Vs with random weights, their inputs and diffusers' outputs.

    pip install -r Scripts/requirements.txt
    python Scripts/golden/latte_t2v.py            # writes Tests/PipelineSupport/Golden/lattet2v*/

A case is a pipeline's directory with two files more:

    io.safetensors  float32: `latents` (C, F, H, W), `caption.<i>` (9, E), the states of a prompt's tokens and, behind
                    them, of what pads it, `output.<i>` (C_out, F, H, W) of forward i, `initial_noise` and `final_latents`
                    of a guided run
    io.json         size in pixels; the captions' prompts and numbers of tokens, the last one empty; "forwards": timestep
                    and caption of each; "run": steps, timesteps, caption, guidance scale

As in the pipeline of diffusers, the captions of both branches have the length of the prompt, so that the empty one brings
some of what pads it, and nothing is masked. The rest is as in pixart.py.
"""

from dataclasses import dataclass

import models
import pixart
import torch
from diffusers import DDIMScheduler, LatteTransformer3DModel
from models import largest_difference
from pixart import GENTLE, PADDED, STEPS, forwards

GUIDANCE = 3.0  # random weights would not bear the pipeline's 7.5


@dataclass
class Case:
    """One golden model and its guided run."""

    name: str
    frames: int
    side: int  # of the training's latents
    height: int  # of the latents
    width: int
    seed: int
    lengths: tuple  # tokens of the captions; the last one is the empty prompt's
    pairs: int = 2  # of blocks
    heads: int = 2
    head: int = 12
    epsilon: float = 1e-6
    caption: int = 20


CASES = [
    Case("lattet2v", frames=5, side=8, height=8, width=8, seed=6, lengths=(5, 1)),
    Case("lattet2v-one-frame", frames=1, side=6, height=4, width=10, seed=2, lengths=(3, 2, 1), pairs=1, heads=1, head=16,
         epsilon=1e-5),
]


def transformer(case):
    """The model with random weights."""
    module = LatteTransformer3DModel(
        num_attention_heads=case.heads, attention_head_dim=case.head, in_channels=4, out_channels=8,
        num_layers=case.pairs, cross_attention_dim=case.heads * case.head, attention_bias=True, sample_size=case.side,
        patch_size=2, activation_fn="gelu-approximate", norm_type="ada_norm_single", norm_elementwise_affine=False,
        norm_eps=case.epsilon, caption_channels=case.caption, video_length=case.frames).eval()
    pixart.randomized(module, case.seed)
    for name, tensor in module.named_parameters():
        if name.startswith("temporal") and ".attn1.to_" in name:
            with torch.no_grad():
                tensor.mul_(3)  # so that the order of frames shows
    return module


def scheduler_of():
    return DDIMScheduler(num_train_timesteps=1000, beta_start=0.0001, beta_end=GENTLE, beta_schedule="linear",
                         clip_sample=False)


def output(module, x, t, captions):
    """The outputs for captions of one length."""
    states = torch.stack([caption.to(x.dtype) for caption in captions])
    return module(x.expand(len(captions), -1, -1, -1, -1), timestep=torch.full((len(captions),), t),
                  encoder_hidden_states=states).sample


def sample(module, scheduler, noise, positive, negative):
    """The loop of diffusers' pipeline."""
    x = noise[None]
    scheduler.set_timesteps(STEPS)
    for t in scheduler.timesteps:
        without, with_ = output(module, x, t.item(), [negative, positive]).chunk(2)
        guided = (without + GUIDANCE * (with_ - without)).chunk(2, dim=1)[0]
        x = scheduler.step(guided, t, x).prev_sample.to(noise.dtype)
    return x[0]


def check_sensitivity(case, module, latents, caption, outputs):
    """Timestep, caption and, where there are several, the order of frames must each show."""
    more = {}
    if case.frames > 1:
        more["order of frames"] = outputs[0] - output(
            module, latents.roll(1, dims=1)[None], 611, [caption])[0].roll(-1, dims=1)
    pixart.check_sensitivity(case, outputs, **more)


def write_case(case, root):
    """Writes one case; returns its line of the table."""
    directory = root / case.name
    rough, scheduler = transformer(case), scheduler_of()
    pixart.begin(directory, "LattePipeline", rough, scheduler)

    generator = torch.Generator().manual_seed(100 + case.seed)
    latents, noise = (torch.randn((4, case.frames, case.height, case.width), generator=generator) for _ in range(2))
    states = [torch.randn((PADDED, case.caption), generator=generator) for _ in case.lengths]
    captions = [rows[:length] for rows, length in zip(states, case.lengths)]
    pair = captions[0], states[-1][:case.lengths[0]]
    truth = transformer(case).double()
    outputs = [output(truth, latents.double()[None], t, [captions[index]])[0] for t, index in forwards(case)]
    check_sensitivity(case, truth, latents.double(), captions[0], outputs)
    forward_error = max(largest_difference(output(rough, latents[None], t, [captions[index]])[0], value)
                        for (t, index), value in zip(forwards(case), outputs))
    final = sample(truth, scheduler, noise.double(), *pair)
    run_error = largest_difference(sample(rough, scheduler_of(), noise, *pair), final)
    return pixart.finish(
        directory, case, scheduler, GUIDANCE, latents, noise, states, outputs, final, (forward_error, run_error), width=20,
        lengths=case.lengths)


if __name__ == "__main__":
    models.run(__doc__, CASES, write_case, width=20)
