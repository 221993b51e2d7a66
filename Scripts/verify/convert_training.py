"""Checks of what the converter reads of a checkpoint's training, for convert.py."""

import argparse
import json

import torch
from converting import LATENTS_BOUND, STEPS, TINY, config_of, random_state, reference_dit
from safetensors.torch import load_file, save_file


def steps_of_flow(state, config, x, label):
    """REPA's Euler sampler: the time runs from 1 to 0, the output is noise minus data."""
    weights = {name: tensor.double() for name, tensor in state.items()}
    x = x[None].double()
    for step in range(STEPS):
        time = torch.tensor([1 - step / STEPS], dtype=torch.float64)
        x = x - reference_dit.forward(weights, config, x, time, torch.tensor([label])) / STEPS
    return x[0]


def check_training(check):
    state, flow = random_state(TINY), random_state(TINY | dict(learn_sigma=False))
    sit = dict(prediction_type="flow", flow_direction="to_data", guidance_channels=3)
    repa = dict(prediction_type="flow", flow_direction="to_noise", timestep_scale=1)
    namespace = argparse.Namespace
    forms = {
        "a command line": (dict(ema=state, args=namespace(path_type="GVP", prediction="velocity")), sit, {}),
        "a dict": (dict(ema_state_dict=state, args=dict(path_type="Linear")), sit, {}),
        "a nested configuration": (dict(model=state, config=dict(transport=dict(path_type="GVP"))), sit, {}),
        "Lightning's hyperparameters": (
            dict(state_dict={"net." + n: t for n, t in state.items()}, hyper_parameters=dict(path_type="GVP")), sit,
            {}),
        "args.json beside it": (state, sit, {"args.json": json.dumps(dict(path_type="GVP", num_classes=10))}),
        "hparams.yaml beside it": (state, sit, {"hparams.yaml": "flow:\n  path_type: Linear  # SiT's\n"}),
        "a name of a model": (dict(ema=state, args=namespace(model="SiT-B/2")), sit, {}),
        "REPA's command line": (
            dict(ema=flow, args=namespace(model="SiT-XL/2", path_type="cosine", prediction="v", num_classes=10)), repa,
            {}),
        "REPA's heads": (flow | {"projectors.0.0.bias": torch.ones(3)}, repa, {}),
        "a DiT that predicts x0": (
            dict(ema=state, args=namespace(predict_xstart=True, noise_schedule="squaredcos_cap_v2")),
            dict(prediction_type="sample", beta_schedule="squaredcos_cap_v2"), {}),
        "a DiT that predicts v": (dict(ema=state, args=namespace(prediction="v")), dict(prediction_type="v"), {}),
    }
    for what, (value, expected, beside) in forms.items():
        source = check.save(value)
        for name, text in beside.items():
            (source.parent / name).write_text(text)
        out, said = check.convert(source, "--heads", "2")
        info = check.info(out) if out else {"error": said}
        check.that(expected.items() <= config_of(out).items() and "error" not in info,
                   f"training: {what} {info.get('error', '')}")
    rows = {
        "num_classes 10 of 11 rows": (11, dict(num_classes=10), (10, True)),
        "num_classes 11 of 11 rows": (11, dict(num_classes=11), (11, False)),
        "no dropout of classes": (11, dict(class_dropout_prob=0.0), (11, False)),
        "a last row that was never trained": (11, dict(num_classes=10, class_dropout_prob=0.0), (10, False)),
        "one row": (1, {}, (1, False)), "no class in one row": (1, dict(num_classes=0), (1, False)),
        "two rows": (2, {}, (1, True)), "1000 rows": (1000, {}, (1000, False)),
    }
    for what, (count, args, (classes, guided)) in rows.items():
        table = torch.randn(count, TINY["hidden_size"])
        value = dict(ema=state | {"y_embedder.embedding_table.weight": table}, args=namespace(**args))
        out, said = check.convert(check.save(value), "--heads", "2")
        info = check.info(out) if out else {"error": said}
        found = (config_of(out).get("num_classes"), info.get("canBeGuided"))
        drawn, said = check.omnicache("sample", "--model", out, "--class", classes - 1, "--seed", 1, "--steps", 1, "-q",
                                      "--save-latents", f"{out}.safetensors") if out else (None, said)
        check.that(found == (classes, guided) and drawn is not None, f"training: {what}: {found} {said}")
    for what, args, options, says in (
            ("the path VP", dict(path_type="VP"), (), ["path_type VP"]),
            ("a flow that predicts the noise", dict(path_type="Linear", prediction="noise"), (), ["prediction noise"]),
            ("a flow that predicts the score", dict(path_type="GVP", prediction="score"), (), ["prediction score"]),
            ("a path of either direction", dict(path_type="linear"), (), ["--sit or --repa"]),
            ("a DiT that is called a SiT", dict(model="DiT-S/2"), ("--sit",), ["model DiT-S/2", "--sit"]),
            ("a SiT that is called a DiT", dict(path_type="Linear"), ("--dit",), ["path_type Linear", "--dit"]),
            ("another path", dict(path_type="Linear"), ("--path", "trigonometric"), ["path_type Linear", "--path"]),
            ("other classes", dict(num_classes=10), ("--classes", "11"), ["num_classes 10", "--classes 11"]),
            ("rows for other classes", dict(num_classes=7), (), ["11 rows", "num_classes 7"]),
            ("dropout without a row", dict(num_classes=11, class_dropout_prob=0.1), (), ["class_dropout_prob 0.1"]),
            ("a variance that is not there", dict(learn_sigma=False), (), ["learn_sigma False", "8 channels"]),
            ("other heads", dict(num_heads=4), (), ["num_heads 4", "--heads 2"]),
            ("another model", dict(model="MDTv2_S_2"), (), ["MDTv2_S_2"]),
            ("an unknown part", dict(path_type="Linear", use_rope=True), (), ["use_rope"]),
            ("a preconditioning", dict(precond="edm"), (), ["precond edm"]),
            ("two opinions", dict(path_type="Linear", inner=dict(path_type="GVP")), (), ["Linear", "GVP"])):
        check.refused("training: " + what, check.save(dict(ema=state, args=namespace(**args))), says, "--heads", "2",
                      *options)


def check_repa(check):
    config = TINY | dict(learn_sigma=False)
    state = random_state(config)
    whole = state | {"projectors.0.0.weight": torch.ones(8, 32), "projectors.0.0.bias": torch.ones(8)}
    early = {name.replace("blocks.1.", "decoder_blocks.0."): tensor for name, tensor in whole.items()}
    noise = torch.randn(4, 8, 8, generator=torch.Generator().manual_seed(5))
    expected = steps_of_flow(state, config, noise, 3)
    args = argparse.Namespace(path_type="linear", prediction="v", enc_type="dinov2-vit-b", cfg_prob=0.1)
    forms = {"a state dict": (whole, ()), "a state dict, with --sit": (whole, ("--sit",)), "an early one": (early, ()),
             "what its trainer saves": (dict(model=whole, ema=whole, opt={}, args=args, steps=4), ()),
             "without its heads, with --repa": (state, ("--repa",))}
    for what, (value, options) in forms.items():
        out, said = check.convert(check.save(value), "--heads", "2", *options)
        error = torch.inf
        if out:
            start, latents = out.parent / "in.safetensors", out.parent / "out.safetensors"
            save_file({"latents": noise}, start)
            said = check.omnicache("sample", "--model", out, "--class", 3, "--seed", 0, "--steps", STEPS, "-q",
                                   "--cfg-scale", 1, "--sampler", "euler", "--spacing", "trailing", "--init-noise",
                                   start, "--save-latents", latents)[1]
            if latents.exists():
                found = load_file(latents)["latents"].reshape(expected.shape)
                error = float((found - expected).abs().max() / expected.abs().max())
        check.that(error <= LATENTS_BOUND and "guidance_channels" not in config_of(out),
                   f"repa: {what}: latents of {STEPS} steps, {error:.1e} <= {LATENTS_BOUND:.0e} {'' if out else said}")
    check.refused("repa: neither heads nor a word of it", check.save(state), ["--repa"], "--heads", "2")
    check.refused("repa: a head that is not REPA's", check.save(whole | {"cls_projectors.0.weight": torch.ones(3, 3)}),
                  ["also holds cls_projectors.0.weight"], "--heads", "2")
    check.refused("repa: REPA that is called a DiT", check.save(whole), ["projectors", "--dit"], "--heads", "2",
                  "--dit")
