"""Checks Scripts/convert.py: tiny checkpoints in, model directories out that the built omnicache reads and samples.

    Scripts/verify/run.sh has installed what this needs; then: .venv/bin/python Scripts/verify/convert.py

  official    a tiny DiT in every form in which checkpoints come, and a DiT-S/8 of true size: configuration, every
              tensor, and five DDIM steps through the command line against the reference
  sit         the same tensors as a SiT: a flow's keys, on both paths
  training    what trainers save: conventions, classes and averages in every form; what contradicts them is refused
  repa        REPA's checkpoints, sampled through the command line against its own Euler steps
  wrappers    names of wrapped models, whatever the order and place of the words
  dtypes      every width of numbers
  pipeline    a diffusers pipeline with pickled weights, with a decoder
  directories variants and shards, and what neither the converter nor omnicache may take
  refusals    what must be refused in one line

Prints PASS or FAIL for each; exit code 1 when one fails.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import torch
from convert_forms import check_directories, check_dtypes, check_wrappers
from convert_training import check_repa, check_training
from converting import (LATENTS_BOUND, ROOT, STEPS, TINY, Check, pickled_pipeline, random_state, reference_dit,
                        same_tensors)
from safetensors.torch import load_file, save_file


class Harmful:
    """An object whose unpickling would run code."""

    def __reduce__(self):
        return print, ("code ran",)


def reference_latents(state, config, noise, label):
    """Unguided DDIM along linspaced timesteps, each step to the next of the list, in double precision."""
    weights = {name: tensor.double() for name, tensor in state.items()}
    betas = torch.linspace(config["beta_start"], config["beta_end"], config["num_train_timesteps"], dtype=torch.float64)
    alphas = torch.cumprod(1 - betas, 0)
    timesteps = [round(999 * i / (STEPS - 1)) for i in reversed(range(STEPS))]
    x = noise[None].double()
    for here, following in zip(timesteps, timesteps[1:] + [None]):
        output = reference_dit.forward(weights, config, x, torch.tensor([here]), torch.tensor([label]))
        e, a = output[:, :config["in_channels"]], alphas[here]
        after = alphas[following] if following is not None else torch.tensor(1.0)
        x = after.sqrt() * (x - (1 - a).sqrt() * e) / a.sqrt() + (1 - after).sqrt() * e
    return x[0]


def check_official(check):
    state = random_state(TINY)
    forms = {
        "a state dict": state, "under ema, beside model and args": dict(
            ema=state, model={k: t + 1 for k, t in state.items()}, args=argparse.Namespace(model="DiT-S/2")),
        "under model, with module.": dict(model={"module." + name: tensor for name, tensor in state.items()}),
    }
    for what, value in forms.items():
        out, said = check.convert(check.save(value), "--heads", "2")
        check.that(out is not None and same_tensors(out, state), f"official: {what}" + ("" if out else f" ({said})"))
    if out is None:
        return
    config = json.loads((out / "config.json").read_text())
    check.that(all(config[key] == TINY[key] for key in TINY), "official: sizes follow from the shapes")
    info = check.info(out)
    check.that(info.get("config", {}).get("depth") == 2 and info["process"]["prediction_type"] == "epsilon",
               f"official: omnicache info reads it {info.get('error', '')}")
    noise = torch.randn(4, 8, 8, generator=torch.Generator().manual_seed(5))
    start, latents = out.parent / "in.safetensors", out.parent / "out.safetensors"
    save_file({"latents": noise}, start)
    said = check.omnicache("sample", "--model", out, "--class", 3, "--seed", 0, "--steps", STEPS, "--cfg-scale", 1,
                           "--init-noise", start, "--save-latents", latents, "-q")[1]
    expected = reference_latents(state, config, noise, 3)
    found = load_file(latents)["latents"].reshape(expected.shape) if latents.exists() else torch.full((), torch.nan)
    error = float((found - expected).abs().max() / expected.abs().max())
    check.that(error <= LATENTS_BOUND, f"official: latents of {STEPS} steps, {error:.1e} <= {LATENTS_BOUND:.0e} {said}")
    for dtype, kind in (("float16", torch.float16), ("bfloat16", torch.bfloat16)):
        out, said = check.convert(check.save(state), "--heads", "2", "--dtype", dtype)
        written = load_file(out / "model.safetensors") if out else {}
        fine = all(t.dtype == (torch.float32 if name == "pos_embed" else kind) for name, t in written.items())
        check.that(bool(written) and fine, f"official: --dtype {dtype} {said if not out else ''}")

    small = dict(hidden_size=384, depth=12, num_heads=6, patch_size=8, input_size=32, in_channels=4, learn_sigma=True,
                 num_classes=1000)
    out, said = check.convert(check.save(random_state(small), "DiT-S-8-256x256.pt"), "--model", "DiT-S/8",
                              "--image-size", "256")
    check.that(out is not None, f"official: DiT-S/8 of true size {said if not out else ''}")
    names = check.info(out).get("classes", []) if out else []
    known = {0: "tench", 207: "golden retriever", 281: "tabby", 388: "giant panda", 980: "volcano"}
    check.that(len(names) == 1000 and all(names[i].split(",")[0] == name for i, name in known.items()),
               "official: 1000 classes get ImageNet's names")
    if out:
        plan, said = check.omnicache("sample", "--model", out, "--class", "tinca tinca, hot dog, 207", "--seed", 1,
                                     "--save-latents", out.parent / "x.safetensors", "--dry-run", "--count", 1)
        check.that(plan is not None, f"official: --class takes synonyms {said if plan is None else ''}")


def check_sit(check):
    state = random_state(TINY)
    for options, path in (((), "linear"), (("--path", "trigonometric"), "trigonometric")):
        out, said = check.convert(check.save(state, "SiT.pt"), "--heads", "2", "--sit", *options)
        config = json.loads((out / "config.json").read_text()) if out else {}
        expected = dict(prediction_type="flow", flow_path=path, flow_direction="to_data", timestep_scale=1,
                        guidance_channels=3)
        check.that(expected.items() <= config.items(), f"sit: keys of the {path} path {said if not out else ''}")
        check.that("config" in (info := check.info(out)), f"sit: omnicache info reads it {info.get('error', '')}")
    trained = dict(ema=state, args=argparse.Namespace(path_type="GVP", prediction="velocity"))
    out, said = check.convert(check.save(trained), "--heads", "2")
    config = json.loads((out / "config.json").read_text()) if out else {}
    check.that(config.get("flow_path") == "trigonometric", "sit: the path is read from the training's arguments")


def check_pipeline(check):
    source = pickled_pipeline(check)
    said = check.info(source).get("error", "")
    check.that("Scripts/convert.py" in said, "pipeline: omnicache says how to convert pickled weights")
    out, said = check.convert(source)
    info = check.info(out) if out else {"error": said}
    fine = info.get("defaults", {}).get("sampler", {}).get("spacing") == "leading" and info["classes"][0] == "tench, x"
    check.that(fine, f"pipeline: omnicache info reads scheduler and names {info.get('error', '')}")
    if out:
        for part in ("transformer", "vae"):
            written = load_file(out / part / "diffusion_pytorch_model.safetensors")
            pickled = torch.load(source / part / "diffusion_pytorch_model.bin", weights_only=True)
            check.that(written.keys() == pickled.keys() and all(torch.equal(written[n], pickled[n]) for n in pickled),
                       f"pipeline: every tensor of {part} is kept")
    names = source.parent / "names.txt"
    names.write_text("".join(f"kind {i}, sort {i}\n" for i in range(10)))
    out, said = check.convert(source, "--names", names)
    check.that(bool(out) and check.info(out)["classes"][9] == "kind 9, sort 9", "pipeline: --names names its classes")
    out, said = check.convert(check.save(random_state(TINY)), "--heads", "2", "--vae", str(source / "vae"))
    decoders = check.info(out).get("decoders", []) if out else []
    check.that(len(decoders) == 1, f"pipeline: --vae puts a decoder beside a network {said if not out else ''}")


def check_refusals(check):
    state = random_state(TINY)
    heads = ("--heads", "2")
    check.refused("a checkpoint that would run code", check.save({"model": state, "x": Harmful()}),
                  ["could run code", "print"], *heads)
    check.refused("something that is no checkpoint", check.save(3), ["no state dict"], *heads)
    check.refused("unknown sizes without --heads", check.save(state), ["--heads"])
    check.refused("a missing tensor", check.save({n: t for n, t in state.items() if "1.attn.qkv.b" not in n}),
                  ["lacks blocks.1.attn.qkv.bias"], *heads)
    check.refused("a tensor of another network", check.save(state | {"blocks.0.attn.q_norm.weight": torch.ones(16)}),
                  ["also holds blocks.0.attn.q_norm.weight"], *heads)
    check.refused("a NaN", check.save(state | {"pos_embed": state["pos_embed"] * torch.nan}), ["not finite"], *heads)
    check.refused("another size than asked for", check.save(state), ["DiT-S/2"], *heads, "--model", "DiT-S/2")
    check.refused("another image size", check.save(state), ["64 pixels"], *heads, "--image-size", "256")
    check.refused("a SiT that is not said to be one", check.save(state, "SiT-XL-2-256.pt"), ["--sit"], *heads)
    pointer = check.save(0)
    pointer.write_text("version https://git-lfs.github.com/spec/v1\n")
    check.refused("a Git LFS pointer", pointer, ["git lfs pull"], *heads)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, default=ROOT / ".build/release/omnicache",
                        help="the command line (default: .build/release/omnicache)")
    arguments = parser.parse_args()
    if not arguments.binary.exists():
        parser.error(f"{arguments.binary} is not there; build it (swift build -c release) or name it with --binary")
    with torch.no_grad(), tempfile.TemporaryDirectory() as name:
        check = Check(arguments.binary.resolve(), Path(name))
        for part in (check_official, check_sit, check_training, check_repa, check_wrappers, check_dtypes,
                     check_pipeline, check_directories, check_refusals):
            part(check)
    print(f"{check.failures} failed" if check.failures else "all passed")
    sys.exit(1 if check.failures else 0)


if __name__ == "__main__":
    main()
