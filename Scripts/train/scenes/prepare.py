"""Prepares the data of the scenes: sprites, vocabulary, and the tokens of every phrase.

    python prepare.py DATA        # writes DATA/scenes.npz and DATA/spiece.model; a minute

Needs Debian's fonts-noto-color-emoji, unicode-data, unicode-cldr-core and sentencepiece. Training
needs none of them: DATA can be carried to a machine that has nothing but PyTorch.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1]))  # dataset.py

import catalogue
import dataset
import grammar
from painter import MARGIN
from scenes import Scenes

VOCABULARY = 4096  # pieces, at most: these words make fewer
CAPTIONS = 60_000  # of random scenes, from which the vocabulary is learnt


def run(*command, **options):
    return subprocess.run(command, check=True, **options)


def train_tokenizer(lines, prefix):
    """A unigram model with the normaliser and the special tokens of T5's."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "captions.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        # The model keeps the names of its files, so they say nothing of this machine's folders.
        run("spm_train", "--input=captions.txt", "--model_prefix=spiece", "--model_type=unigram",
            f"--vocab_size={VOCABULARY}", "--normalization_rule_name=nmt_nfkc", "--pad_id=0",
            "--eos_id=1", "--unk_id=2", "--bos_id=-1", "--character_coverage=1.0",
            "--num_threads=1", "--hard_vocab_limit=false", "--minloglevel=1", cwd=folder)
        for suffix in (".model", ".vocab"):
            shutil.move(f"{folder}/spiece{suffix}", f"{prefix}{suffix}")


def encode(lines, model):
    """Debian's spm_encode: the tokens of each line, without an end."""
    result = run("spm_encode", f"--model={model}", "--output_format=id", text=True,
                 input="\n".join(lines) + "\n", stdout=subprocess.PIPE)
    return [[int(token) for token in line.split()] for line in result.stdout.splitlines()]


def tokenize_phrases(phrases, model):
    """The tokens of each phrase in the middle of a caption, padded with -1: (phrases, longest)."""
    # Marks are written to the word before them: their tokens are what a word gains by them.
    marks = {",", "."}
    word = encode(["a"], model)[0]
    rows = []
    for phrase, tokens in zip(phrases, encode(["a" + p if p in marks else p or "a" for p in phrases], model)):
        rows.append([] if not phrase else tokens[len(word):] if phrase in marks else tokens)
    longest = max(len(row) for row in rows)
    return np.array([row + [-1] * (longest - len(row)) for row in rows], np.int16)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="the folder to write")
    arguments = parser.parse_args()
    arguments.data.mkdir(parents=True, exist_ok=True)

    objects = catalogue.read()
    emoji = {name: text for text, name, *_ in dataset.parse()}
    annotations = catalogue.annotations()
    points = catalogue.check(objects, emoji, annotations)
    renderer = dataset.Renderer()
    sprites = np.stack([renderer.sprite(text, MARGIN) for text in points])

    language = grammar.build(objects)
    blank = np.zeros((len(language.phrases), 1), np.int16)
    scenes = Scenes({"sprites": sprites, "phrases": language.phrases, "phrase_tokens": blank}, seed=1)
    captions = scenes.texts(scenes.phrase(scenes.draw(CAPTIONS)))
    # CLDR's other words, too, so that words that no caption has are split sensibly.
    english = sorted({word.strip() for text in annotations.values() for word in text.split("|")} - {""})
    lines = captions + english + [phrase for phrase in language.phrases if phrase]
    random.Random(0).shuffle(lines)
    prefix = arguments.data / "spiece"
    train_tokenizer(lines, prefix)
    model = prefix.with_suffix(".model")
    tokens = tokenize_phrases(language.phrases, model)

    temporary = arguments.data / "scenes.npz.partial"
    with open(temporary, "wb") as file:
        np.savez_compressed(file, sprites=sprites, phrases=language.phrases, phrase_tokens=tokens,
                            vocabulary=len(prefix.with_suffix(".vocab").read_text("utf-8").splitlines()))
    os.replace(temporary, arguments.data / "scenes.npz")
    print(f"{len(objects)} objects, {len(language.phrases)} phrases, "
          f"{np.load(arguments.data / 'scenes.npz')['vocabulary']} pieces: {arguments.data}")


if __name__ == "__main__":
    main()
