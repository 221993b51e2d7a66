"""Writes a run's averaged weights as a directory like those of MiniT2I's repositories.

    python export.py RUN DIRECTORY

model_index.json, scheduler/, transformer/, text_encoder/ and tokenizer/, with float16 weights; and two
files of omnicache's: vocabulary.txt, every word that captions had, one a line, so that a program can tell
a person which words of a prompt the model has never read; and prompts.txt, captions to calibrate on.
"""

import argparse
import base64
import json
import os
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file

import catalogue
import flow
import grammar
import scenes
import sheet
from unigram import Unigram
import writer

STEPS, GUIDANCE = 50, 2.5
EXAMPLES, EXAMPLES_SEED = 48, 11


def write_json(value, path):
    """Under a temporary name first, then renamed."""
    temporary = Path(f"{path}.partial")
    temporary.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(temporary, path)


def write_weights(module, prefix, path):
    state = {prefix + name: p.detach().half().contiguous().cpu() for name, p in module.state_dict().items()}
    temporary = f"{path}.partial"
    save_file(state, temporary, metadata={"format": "pt"})
    os.replace(temporary, path)


def tokenizer_json(model):
    """The tokenizer in the format of the tokenizers library, as transformers writes T5's."""
    special = [{"id": i, "content": model.pieces[i], "single_word": False, "lstrip": False,
                "rstrip": False, "normalized": False, "special": True} for i in (0, 1, 2)]
    split = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True}
    end = model.pieces[writer.END]
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special,
        "normalizer": {"type": "Precompiled",
                       "precompiled_charsmap": base64.b64encode(model.character_map).decode()},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, split]},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": end, "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": end, "type_id": 0}},
                     {"Sequence": {"id": "B", "type_id": 0}}, {"SpecialToken": {"id": end, "type_id": 0}}],
            "special_tokens": {end: {"id": end, "ids": [writer.END], "tokens": [end]}}},
        "decoder": split,
        "model": {"type": "Unigram", "unk_id": model.unknown, "byte_fallback": False,
                  "vocab": [[piece, score] for piece, score in zip(model.pieces, model.scores)]},
    }


def write(model, data, directory):
    """Every file of the directory."""
    for folder in ("scheduler", "transformer", "text_encoder", "tokenizer"):
        (directory / folder).mkdir(parents=True, exist_ok=True)
    write_json({
        "_class_name": "MiniT2ITextToImagePipeline",
        "_diffusers_version": "0.32.0",
        "scheduler": ["diffusers", "MiniT2IFlowMatchScheduler"],
        "text_encoder": ["transformers", "T5EncoderModel"],
        "tokenizer": ["transformers", "AutoTokenizer"],
        "transformer": ["diffusers", "MiniT2IMMJiTModel"],
    }, directory / "model_index.json")
    write_json({"_class_name": "MiniT2IFlowMatchScheduler", "_diffusers_version": "0.32.0",
                "num_inference_steps": STEPS, "train_t_schedule": "lognorm",
                "t_lognorm_mu": flow.TIME_MEAN, "t_lognorm_sigma": flow.TIME_SPREAD},
               directory / "scheduler" / "scheduler_config.json")
    write_json({**model.net.config.json(STEPS), "guidance_scale": GUIDANCE}, directory / "transformer" / "config.json")
    write_weights(model.net, "model.net.", directory / "transformer" / "diffusion_pytorch_model.safetensors")
    write_json(model.text_encoder.config.json(), directory / "text_encoder" / "config.json")
    write_weights(model.text_encoder, "", directory / "text_encoder" / "model.safetensors")

    tokenizer = Unigram(data / "spiece.model")
    folder = directory / "tokenizer"
    shutil.copyfile(data / "spiece.model", folder / "spiece.model")
    write_json(tokenizer_json(tokenizer), folder / "tokenizer.json")
    names = {"pad_token": 0, "eos_token": writer.END, "unk_token": tokenizer.unknown}
    write_json({"tokenizer_class": "T5Tokenizer", "extra_ids": 0, "model_max_length": writer.LENGTH,
                **{name: tokenizer.pieces[i] for name, i in names.items()}},
               folder / "tokenizer_config.json")
    words = grammar.words(grammar.build(catalogue.read()))
    maker = scenes.Scenes(scenes.load(data / "scenes.npz"))
    maker.generator.manual_seed(EXAMPLES_SEED)
    examples = maker.texts(maker.phrase(maker.draw(EXAMPLES)))
    for name, lines in (("vocabulary.txt", words), ("prompts.txt", examples)):
        (directory / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="the folder of the run")
    parser.add_argument("directory", type=Path, help="the model directory to write")
    parser.add_argument("--data", type=Path, help="the prepared data (default: RUN/data)")
    parser.add_argument("--checkpoint", default="checkpoint.pt",
                        help="the file in RUN to export: an average-*.pt, too (default: %(default)s)")
    arguments = parser.parse_args()
    with torch.no_grad():
        model = sheet.read_checkpoint(arguments.run / arguments.checkpoint)
        write(model, arguments.data or arguments.run / "data", arguments.directory)


if __name__ == "__main__":
    main()
