"""What a network was trained to undo: the conventions of DiT, SiT, REPA and Latte, by what a checkpoint says and holds.

Sources: https://github.com/facebookresearch/DiT (diffusion/, sample.py), https://github.com/willisma/SiT (transport/,
sample.py) and https://github.com/sihyun-yu/REPA (loss.py, samplers.py, generate.py), which have the same tensors;
https://github.com/Vchitect/Latte (diffusion/, configs/, models/latte.py), which has the positions of frames besides.
"""

import re

from weights import Problem

DIT, SIT, REPA, LATTE = "DiT", "SiT", "REPA", "Latte"
TIMES = "temp_embed"  # the positions of a Latte's frames
# What forward_with_cfg guides: of DiT and SiT the first three channels, of Latte four; REPA guides all.
GUIDED_CHANNELS = {DIT: 3, SIT: 3, LATTE: 4}
GUIDANCE = {DIT: 4.0, SIT: 4.0, REPA: 1.5, LATTE: 7.0}
PATHS = {"linear": "linear", "gvp": "trigonometric", "cosine": "trigonometric"}
# What the estimate is called, of a schedule of betas and of a flow.
ESTIMATES = {"epsilon": "epsilon", "eps": "epsilon", "noise": "epsilon", "v": "v", "v_prediction": "v", "x": "sample",
             "x0": "sample", "xstart": "sample", "start_x": "sample", "sample": "sample"}
VELOCITIES = ("velocity", "v", "flow", "flow_prediction", "v_prediction")
SCHEDULES = {"linear": "linear", "squaredcos_cap_v2": "squaredcos_cap_v2", "cosine": "squaredcos_cap_v2"}


class Clue:
    """Something that tells the family: the families that it allows, and in which words it is there."""

    def __init__(self, families, words):
        self.families, self.words = set(families), words


def clues(source, given, training, tensors):
    """All that tells the family, what the checkpoint holds first."""
    path, prediction = training.get("path"), (training.get("prediction") or "").lower()
    if any(name.startswith("projectors.") for name in tensors):
        yield Clue([REPA], "it holds projectors.*, which REPA trains with")
    if training.values.get("projection"):
        yield Clue([REPA], f"it was trained with {training.said('projection')}, as REPA is")
    if path is not None:
        if path.lower() not in PATHS:
            raise Problem(f"{source}: trained with {training.said('path')}; the paths Linear and GVP of SiT, linear "
                          "and cosine of REPA are supported")
        own = {"Linear": [SIT], "GVP": [SIT], "cosine": [REPA]}.get(path, [SIT, REPA])
        yield Clue(own, f"it was trained with {training.said('path')}")
    if prediction in ("velocity", "flow", "flow_prediction"):
        yield Clue([SIT], f"it was trained with {training.said('prediction')}")
    elif prediction == "v":
        yield Clue([REPA] if path else [DIT, REPA], f"it was trained with {training.said('prediction')}")
    name = training.get("model")
    if name is not None and (match := re.match(r"(LightningDiT|DiT|SiT|REPA)", name, re.IGNORECASE)):
        is_dit = match[1].lower() == "dit"
        # DiT is also the network's name where a flow is trained.
        if not is_dit or (path is None and prediction not in ("velocity", "flow", "flow_prediction")):
            yield Clue([DIT] if is_dit else [SIT, REPA], f"its training says {training.said('model')}")
    elif name is not None and not (given.dit or given.sit or given.repa or given.model):
        raise Problem(f"{source}: its training says {training.said('model')}, which is no DiT, SiT or REPA; add --dit, "
                      "--sit or --repa if it follows one of them in everything")
    for is_given, families, words in (
            (given.dit, [DIT], "--dit"), (given.sit, [SIT, REPA], "--sit"), (given.repa, [REPA], "--repa"),
            (given.path, [SIT, REPA], f"--path {given.path}"),
            (given.model, [DIT] if (given.model or "").startswith("DiT") else [SIT, REPA], f"--model {given.model}")):
        if is_given:
            yield Clue(families, f"{words} was given")


def family(source, given, training, tensors):
    """The family that all clues allow, and the words of the clue that decided; DiT and None where there is none."""
    if TIMES in tensors:
        for name, value in dict(dit=given.dit, sit=given.sit, repa=given.repa, path=given.path).items():
            if value:
                raise Problem(f"--{name}: not for a Latte, which {source} is by its {TIMES}")
        return LATTE, f"it holds {TIMES}, the positions of frames"
    found = list(clues(source, given, training, tensors))
    for index, clue in enumerate(found):
        for other in found[:index]:
            if not clue.families & other.families:
                raise Problem(f"{source}: {other.words}, but {clue.words}; the two contradict one another")
    allowed = set.intersection({DIT, SIT, REPA}, *(clue.families for clue in found))
    if not allowed:
        raise Problem(f"{source}: {'; '.join(clue.words for clue in found)}: these contradict one another")
    if not found:
        words = re.split(r"[^a-z]", source.stem.lower())
        for word, name in (("sit", SIT), ("repa", REPA)):
            if word in words:
                raise Problem(f"{source}: {name} by its name, but its tensors are DiT's too; add --{word}, or --dit")
        return DIT, None
    deciding = min(found, key=lambda clue: len(clue.families)).words
    if len(allowed) == 1:
        return allowed.pop(), deciding
    if DIT in allowed:
        return DIT, deciding
    if training.get("path") is not None and not given.sit:
        raise Problem(f"{source}: {training.said('path')} may be SiT's or REPA's, whose times run in opposite "
                      "directions; add --sit or --repa")
    return SIT, deciding


def process(source, given, training, kind, channels, has_null_class):
    """The keys of config.json for the diffusion process and the guidance, and the process in words."""
    precondition = training.values.get("preconditioning")
    if precondition not in (None, False, "", "none", "None"):
        raise Problem(f"{source}: trained with {training.said('preconditioning')}; networks behind a preconditioning "
                      "are not supported")
    keys, words = (betas if kind in (DIT, LATTE) else flow)(source, given, training, kind)
    if has_null_class:
        keys["guidance_scale"] = GUIDANCE[kind]
        guided = training.get("guided_channels", int) or min(GUIDED_CHANNELS.get(kind, channels), channels)
        if not 1 <= guided <= channels:
            raise Problem(f"{source}: trained with {training.said('guided_channels')}, but has {channels} channels")
        if guided < channels:
            keys["guidance_channels"] = guided
        words += f"; guidance of {'all' if guided == channels else guided} of {channels} channels"
    return keys, words


def betas(source, given, training, kind):
    """A schedule of betas, as DiT has it."""
    prediction = training.get("prediction")
    estimate = ESTIMATES.get((prediction or "epsilon").lower())
    schedule = SCHEDULES.get((training.get("schedule") or "linear").lower())
    for value, key in ((estimate, "prediction"), (schedule, "schedule")):
        if value is None:
            raise Problem(f"{source}: trained with {training.said(key)}; weights-format.md lists what is supported")
    if training.get("predict_xstart", bool):
        if prediction is not None and estimate != "sample":
            raise Problem(f"{source}: says both {training.said('prediction')} and {training.said('predict_xstart')}")
        estimate = "sample"
    timesteps = training.get("timesteps", int) or 1000
    keys = dict(prediction_type=estimate, num_train_timesteps=timesteps, beta_schedule=schedule)
    if schedule == "linear":
        # As in create_diffusion: the ends are those of 1000 steps, scaled.
        keys |= dict(beta_start=0.0001 * 1000 / timesteps, beta_end=0.02 * 1000 / timesteps)
    return keys, f"predicts {estimate} of {timesteps} timesteps on the {schedule} betas"


def flow(source, given, training, kind):
    """A flow: SiT's time runs from noise (0) to data (1) and its output points there, REPA's is the other way round."""
    prediction = training.get("prediction")
    if prediction is not None and prediction.lower() not in VELOCITIES:
        raise Problem(f"{source}: trained with {training.said('prediction')}; of flows, only the velocity is supported")
    trained = training.get("path")
    path = PATHS[trained.lower()] if trained is not None else given.path or "linear"
    if given.path not in (None, path):
        raise Problem(f"{source}: trained with {training.said('path')}, not --path {given.path}")
    direction = "to_data" if kind == SIT else "to_noise"
    keys = dict(prediction_type="flow", flow_path=path, flow_direction=direction, timestep_scale=1)
    ends = "0 (noise) to 1 (data)" if kind == SIT else "1 (noise) to 0 (data)"
    return keys, f"predicts the velocity on the {path} path, its time runs from {ends} as it samples"
