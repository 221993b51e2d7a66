"""Writes the golden tokenizers: small unigram models, lines in many scripts, and their tokens.

    pip install -r Scripts/requirements.txt
    python Scripts/golden/unigram.py                     # writes Tests/ModelsTests/Golden/tokenizers/<case>/
    python Scripts/golden/unigram.py --root FOLDER --lines 10000 --seed 7

Each case is a folder with spiece.model or tokenizer.json, and with expected.json: the lines, and for each the ids that
SentencePiece gives, then the end token. The lines of a tokenizer.json are those for which the tokenizers library agrees
with SentencePiece; elsewhere it applies the character map to graphemes, in another way than SentencePiece does.

With --lines the lines are random ones, for Scripts/verify.
"""

import argparse
import base64
import contextlib
import json
import shutil
import sys
import tempfile
from pathlib import Path

import sentencepiece
import tokenizers

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "Scripts/train/scenes"))  # protobuf.py
import corpus  # noqa: E402
from protobuf import fields  # noqa: E402

END = 1

# A character map that is small enough for a file of text: ligatures, full width, and marks that are combined.
RULES = {
    **{chr(0xFF01 + i): chr(0x21 + i) for i in range(94)}, "\u3000": " ", "\u00a0": " ", "\t": " ", "\n": " ", "\r": " ",
    "ﬁ": "fi", "ﬂ": "fl", "ﬀ": "ff", "ﬃ": "ffi", "…": "...", "½": "1⁄2", "№": "No", "™": "TM", "㎏": "kg", "\u200b": " ",
    "\u00ad": "", "\ufeff": "", "e\u0301": "é", "n\u0303": "ñ", "a\u0308": "ä", "e\u0302\u0301": "ế", "ＩＩ": "Ⅱ",
}

# Each SentencePiece model: how it is trained.
MODELS = {
    "nfkc": {"normalization_rule_name": "nmt_nfkc"},
    "casefold": {"normalization_rule_name": "nmt_nfkc_cf", "add_dummy_prefix": False, "remove_extra_whitespaces": False,
                 "vocab_size": 500},
    "bytes": {"normalization_rule_name": "identity", "byte_fallback": True, "vocab_size": 900,
              "remove_extra_whitespaces": False},
    "symbols": {"normalization_rule_name": "identity", "user_defined_symbols": ["<mask>", "red apple", "人人", "ab"],
                "treat_whitespace_as_suffix": True, "vocab_size": 500},
    "rules": {},
}


def train(options, folder):
    """The bytes of a model."""
    (folder / "text.txt").write_text("\n".join(corpus.training_lines()) + "\n", encoding="utf-8")
    (folder / "rules.tsv").write_text("".join(
        f"{' '.join(f'{ord(c):X}' for c in source)}\t{' '.join(f'{ord(c):X}' for c in target)}\n"
        for source, target in RULES.items()), encoding="utf-8")
    options = {"vocab_size": 700, **options}
    if "normalization_rule_name" not in options:
        options["normalization_rule_tsv"] = "rules.tsv"
    # A model holds the names of these files, so they are the same in every run.
    with contextlib.chdir(folder):
        sentencepiece.SentencePieceTrainer.train(
            input="text.txt", model_prefix="golden", model_type="unigram", character_coverage=0.995, pad_id=0, eos_id=END,
            unk_id=2, bos_id=-1, num_threads=1, hard_vocab_limit=False, minloglevel=2, **options)
    return (folder / "golden.model").read_bytes()


def character_map(model):
    """The precompiled character map of a model: field 2 of its field 3."""
    return dict(fields(dict(fields(model))[3]))[2]


def library_json(model, is_old):
    """A tokenizer.json of the same pieces: as transformers writes T5's now, or as it did in 2021."""
    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    pieces = [(processor.id_to_piece(i), processor.get_score(i)) for i in range(processor.get_piece_size())]
    extra = [f"<extra_id_{i}>" for i in range(2)]
    pieces += [(name, 0.0) for name in reversed(extra)]
    ids = {piece: i for i, (piece, _) in enumerate(pieces)}
    named = ["<pad>", "</s>", "<unk>"] + extra
    added = [{"id": ids[name], "content": name, "single_word": False, "lstrip": False, "rstrip": name in extra and is_old,
              "normalized": False, "special": True} for name in named]
    precompiled = {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(character_map(model)).decode()}
    if is_old:
        normalizer = {"type": "Sequence", "normalizers": [
            precompiled, {"type": "Strip", "strip_left": False, "strip_right": True},
            {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "\u2581"}]}
        splitter = {"type": "Metaspace", "replacement": "\u2581", "add_prefix_space": True}
    else:
        normalizer = precompiled
        splitter = {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {
            "type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True}]}
    template = [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}]
    return json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": normalizer,
        "pre_tokenizer": splitter,
        "post_processor": {"type": "TemplateProcessing", "single": template, "pair": template + [
            {"Sequence": {"id": "B", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
            "special_tokens": {"</s>": {"id": "</s>", "ids": [END], "tokens": ["</s>"]}}},
        "decoder": None, "model": {"type": "Unigram", "unk_id": 2, "vocab": pieces, "byte_fallback": False},
    }, ensure_ascii=False)


def write(folder, name, data, lines, ids):
    """Writes one case; equal lines count once."""
    folder.mkdir(parents=True)
    (folder / name).write_bytes(data)
    expected = {"lines": lines, "ids": ids}
    (folder / "expected.json").write_text(json.dumps(expected, separators=(",", ":")), encoding="utf-8")
    print(f"{folder.name}: {len(lines)} lines, {len(data)} bytes of {name}")


def write_all(root, lines):
    """Writes all cases."""
    shutil.rmtree(root, ignore_errors=True)
    models = {}
    for case, options in MODELS.items():
        with tempfile.TemporaryDirectory() as name:
            models[case] = model = train(options, Path(name))
        processor = sentencepiece.SentencePieceProcessor(model_proto=model)
        write(root / case, "spiece.model", model, lines, [processor.encode(line) + [END] for line in lines])
    for case in ("json", "json-2021"):
        text = library_json(models["rules"], is_old=case == "json-2021")
        library = tokenizers.Tokenizer.from_str(text)
        processor = sentencepiece.SentencePieceProcessor(model_proto=models["rules"])
        agreed = []
        for line in lines:
            found = library.encode(line)
            # Of the texts, too: two differences can make the same ids.
            agrees = found.ids[:-1] == processor.encode(line) and found.tokens[:-1] == processor.encode(line, out_type=str)
            if agrees or "<extra_id" in line or "</s>" in line:
                agreed.append((line, found.ids))
        write(root / case, "tokenizer.json", text.encode(), [line for line, _ in agreed], [ids for _, ids in agreed])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", type=Path, default=ROOT / "Tests/ModelsTests/Golden/tokenizers", help="where to write")
    parser.add_argument("--lines", type=int, help="how many random lines to take in place of the fixed ones")
    parser.add_argument("--seed", type=int, default=1, help="of the random lines (default: %(default)s)")
    arguments = parser.parse_args()
    fixed = list(dict.fromkeys(corpus.LINES + corpus.SENTENCES))
    write_all(arguments.root, corpus.random_lines(arguments.lines, arguments.seed) if arguments.lines else fixed)


if __name__ == "__main__":
    main()
