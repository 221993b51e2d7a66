"""Checks of the forms that weights come in: wrapped names, widths, variants and shards, for convert.py."""

import json

import torch
from converting import TINY, pickled_pipeline, random_state, same_tensors
from diffusers import DDIMScheduler
from safetensors.torch import load_file, save_file


def check_wrappers(check):
    state = random_state(TINY)

    def renamed(old, new):
        return {name.replace(old, new): tensor for name, tensor in state.items()}

    forms = {prefix: {prefix + name: tensor for name, tensor in state.items()} for prefix in (
        "_orig_mod.module.", "module.module._orig_mod.", "_forward_module.net.", "model.diffusion_model.", "x.y.z.")}
    forms |= {"words inside": renamed("blocks.0.", "blocks._orig_mod.0._checkpoint_wrapped_module."),
              "words at the end": renamed("attn.qkv.", "attn.qkv._fsdp_wrapped_module."),
              "averages beside weights": {"model." + n: t + 1 for n, t in state.items()}
              | {"ema_model.module." + n: t for n, t in state.items()},
              "what an average counts": {"module." + n: t for n, t in state.items()} | {"n_averaged": torch.tensor(9)},
              "averages in a dict of their own": dict(ema=dict(module=state, decay=0.9), model=renamed("pos", "po")),
              "the same tensors twice": state | {"module." + n: t for n, t in state.items()}}
    for what, value in forms.items():
        out, said = check.convert(check.save(value), "--heads", "2")
        check.that(out is not None and same_tensors(out, state), f"wrappers: {what} {said if not out else ''}")
    raw = {name: tensor + 1 for name, tensor in state.items()}
    out, said = check.convert(check.save(dict(ema=state, model=raw)), "--heads", "2", "--tree", "model")
    fine = out is not None and same_tensors(out, raw)
    check.that(fine, f"wrappers: --tree takes the raw weights {said if not out else ''}")
    check.refused("wrappers: two averages", check.save(dict(ema1=state, ema2=raw)), ["ema1, ema2", "--tree"],
                  "--heads", "2")
    check.refused("wrappers: two tensors of one name", check.save(raw | {"module." + n: t for n, t in state.items()}),
                  ["two different tensors"], "--heads", "2")
    source = check.save(0).with_name("wrapped.safetensors")
    save_file({"_orig_mod." + name: tensor for name, tensor in state.items()}, source)
    out, said = check.convert(source, "--heads", "2")
    check.that(out is not None and same_tensors(out, state), f"wrappers: in safetensors {said if not out else ''}")
    if out:  # a directory of omnicache's whose names are wrapped: refused with the way out, which is then taken
        (out / "scheduler").mkdir()
        DDIMScheduler(clip_sample=False).save_pretrained(out / "scheduler")
        save_file(load_file(source), out / "model.safetensors")
        said = check.info(out).get("error", "")
        again, error = check.convert(out)
        info = check.info(again) if again else {"error": error}
        fine = "Scripts/convert.py" in said and "_orig_mod" in said and same_tensors(again, state)
        check.that(fine and info.get("defaults", {}).get("sampler", {}).get("spacing") == "leading",
                   f"wrappers: a directory of omnicache's, with its scheduler {info.get('error', '')}")


def check_dtypes(check):
    state = random_state(TINY)
    wide = {name: tensor.double() for name, tensor in state.items()}
    for what, value, options in (
            ("float64", wide, ()), ("float64 with --dtype float32", wide, ("--dtype", "float32")),
            ("float64 in one tensor", state | {"pos_embed": wide["pos_embed"]}, ("--dtype", "float32")),
            ("numbers that are no weights", state | {"steps": torch.tensor(7), "mask": torch.ones(3, dtype=torch.bool),
                                                     "freqs": torch.ones(2, dtype=torch.complex64)}, ())):
        out, said = check.convert(check.save(value), "--heads", "2", *options)
        check.that(out is not None and same_tensors(out, state), f"dtypes: {what} {said if not out else ''}")
    halves = {name: tensor.bfloat16() for name, tensor in state.items()}
    out, said = check.convert(check.save(halves), "--heads", "2", "--dtype", "float32")
    fine = out and all(t.dtype == torch.float32 for t in load_file(out / "model.safetensors").values())
    check.that(bool(fine), f"dtypes: --dtype float32 is for every tensor {said if not out else ''}")
    check.refused("dtypes: whole numbers for weights",
                  check.save(state | {"blocks.0.attn.qkv.weight": torch.ones(96, 32, dtype=torch.int8)}),
                  ["blocks.0.attn.qkv.weight is of type int8"], "--heads", "2")


def check_directories(check):
    source = pickled_pipeline(check)
    folder, name = source / "transformer", "diffusion_pytorch_model"
    state = torch.load(folder / f"{name}.bin", weights_only=True)

    def put(**files):
        for path in folder.iterdir():
            if path.name != "config.json":
                path.unlink()
        for file, tensors in files.items():
            torch.save(tensors, folder / f"{name}.{file.replace('_', '.')}")

    def index(file, shards):
        (folder / file).write_text(json.dumps({"weight_map": {n: s for s, part in shards.items() for n in part}}))
        for shard, part in shards.items():
            torch.save(part, folder / shard)

    halves = [dict(list(state.items())[::2]), dict(list(state.items())[1::2])]
    other = {n: t + 1 for n, t in state.items()}

    def is_taken(what, expected, *options):
        out, said = check.convert(source, *options)
        found = load_file(out / "transformer" / f"{name}.safetensors") if out else {}
        check.that(found.keys() == expected.keys() and all(torch.equal(found[n], expected[n]) for n in found),
                   f"directories: {what} {said if not out else ''}")

    put(fp16_bin=state)
    is_taken("the only variant", state)
    put(bin=state, fp16_bin=other)
    is_taken("plain weights before a variant", state)
    is_taken("--variant", other, "--variant", "fp16")
    put(bin=other)
    index(f"{name}.bin.index.json", {f"{name}-0000{i + 1}-of-00002.bin": half for i, half in enumerate(halves)})
    is_taken("an index before a single file", state)
    put()
    index(f"{name}.bin.index.fp16.json",
          {f"{name}.fp16-0000{i + 1}-of-00002.bin": half for i, half in enumerate(halves)})
    is_taken("shards of a variant", state)
    put(bin={"module._orig_mod." + n: t for n, t in state.items()})
    is_taken("wrapped names", state)
    put(bin=other)
    index(f"{name}.bin.index.json", {f"{name}-0000{i + 1}-of-00002.bin": half for i, half in enumerate(halves)})
    (folder / f"{name}-00002-of-00002.bin").unlink()
    check.refused("directories: a shard that is missing, beside a file", source, ["-00002-of-00002.bin is missing",
                                                                                  f"{name}.bin;"])
    put(bin=state, fp16_bin=other)
    check.refused("directories: a variant that is not there", source, ["--variant ema", "fp16"], "--variant", "ema")
    put(fp16_bin=state, ema_bin=other)
    check.refused("directories: two variants", source, ["ema, fp16", "--variant"])
    put()
    index(f"{name}.bin.index.json", {f"{name}-00001-of-00002.bin": state})
    (folder / f"{name}.bin.index.json").write_text(json.dumps({"weight_map": {"a": "../model_index.json"}}))
    check.refused("directories: an index that leaves its directory", source, ["not the name of a file"])

    # Whatever the converter takes, omnicache loads, and the other way round.
    vae = source / "vae" / f"{name}.bin"
    save_file(torch.load(vae, weights_only=True), vae.with_suffix(".safetensors"))
    config = json.loads((folder / "config.json").read_text())
    agree = []
    for changes in ({}, dict(num_embeds_ada_norm=9), dict(num_layers=3), dict(num_layers=2.0), dict(num_layers="2"),
                    dict(out_channels=None), dict(out_channels=12), dict(attention_head_dim=8), dict(sample_size=7),
                    dict(norm_type="ada_norm"), dict(attention_bias=False), dict(patch_size=0),
                    dict(activation_fn="geglu"), dict(_class_name="UNet2DModel"), dict(num_attention_heads=3),
                    *({key: None} for key in config if not key.startswith("_"))):
        put(bin=state)
        (folder / "config.json").write_text(json.dumps(config | changes))
        out = check.convert(source)[0]
        save_file(state, folder / f"{name}.safetensors")
        drawn = check.omnicache("sample", "--model", source, "--class", 0, "--seed", 1, "--steps", 1, "-q", "--force",
                                "-o", source.parent / "x.png")[0]
        (folder / f"{name}.safetensors").unlink()
        if (out is None) != (drawn is None):
            agree.append(f"{changes}: converter {out is not None}, omnicache {drawn is not None}")
    check.that(not agree, f"directories: the converter takes what omnicache loads {agree or ''}")
