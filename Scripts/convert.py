"""Turns a PyTorch checkpoint into a model directory that omnicache reads, and checks what it wrote.

    pip install torch==2.13.0 safetensors==0.8.0 numpy==2.4.6
    python3 Scripts/convert.py DiT-XL-2-256x256.pt dit-xl-256 --vae sd-vae-ft-ema
    python3 Scripts/convert.py SiT-XL-2-256.pt sit-xl-256 --sit --vae sd-vae-ft-ema
    python3 Scripts/convert.py PixArt-Sigma-XL-2-512-MS.pth pixart-512 --image-size 512 --vae sdxl-vae
    python3 Scripts/convert.py downloaded/DiT-XL-2-512 dit-xl-512      # a diffusers directory with .bin weights

The official checkpoints of DiT, SiT, REPA, PixArt, Latte and MiniT2I (facebookresearch/DiT, willisma/SiT,
sihyun-yu/REPA, PixArt-alpha/PixArt-sigma, Vchitect/Latte, PeppaKing8/minit2i-jax) are state dicts, by themselves or
inside what a trainer saved; exponential averages are taken before raw weights. Depth, width, patch, input size,
classes and learned variance follow from the tensors' shapes, the heads from the table of published sizes, and the
conventions from what the checkpoint says of its training. They are loaded without running code (torch's weights-only
loading). How a checkpoint was read is printed; what contradicts that is refused.

Of a model directory (a diffusers pipeline, one part of it, or one of omnicache's) the configurations are copied, and
pickled weights, variants and names that wrappers have changed are rewritten as plain safetensors.

The output directory must not exist. It is written under another name and gets its own when everything has been read
back and compared. Exit code 1 and one line on standard error when something does not fit.
"""

import argparse
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "convert"))
try:
    import directories
    import official
    from weights import DTYPES, Problem, one_line
except ModuleNotFoundError as missing:
    sys.exit(f"convert: {missing.name} is not installed; run: pip install -r Scripts/requirements.txt")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, metavar="CHECKPOINT",
                        help="a .pt or .safetensors file, or a model directory")
    parser.add_argument("out", type=Path, metavar="OUT", help="the model directory to make")
    parser.add_argument("--vae", type=Path, metavar="DIR", help="a diffusers AutoencoderKL to put beside the network")
    parser.add_argument("--tiny", type=Path, metavar="DIR", help="a diffusers AutoencoderTiny to put beside it")
    parser.add_argument("--model", metavar="NAME", help="what the checkpoint must be, such as DiT-XL/2 or SiT-B/4")
    parser.add_argument("--image-size", type=int, metavar="PIXELS", help="what it must be made for: 256 or 512; "
                        "a PixArt that does not tell it needs it: 256, 512, 1024 or 2048")
    parser.add_argument("--heads", type=int, metavar="H", help="attention heads, for sizes that were not published")
    parser.add_argument("--classes", type=int, metavar="K", help="the number of classes without the null class "
                        "(default: what the training says; else one less than the class table's rows, but all of "
                        "1 or 1000)")
    parser.add_argument("--names", type=Path, metavar="FILE", help="class names, one a line, synonyms between commas "
                        "(default: ImageNet's for 1000 classes)")
    family = parser.add_mutually_exclusive_group()
    family.add_argument("--dit", action="store_true", help="the checkpoint is a DiT: it predicts noise")
    family.add_argument("--sit", action="store_true", help="the checkpoint is a SiT: it predicts a flow's velocity")
    family.add_argument("--repa", action="store_true",
                        help="the checkpoint is REPA's: a SiT whose time runs the other way")
    parser.add_argument("--path", choices=["linear", "trigonometric"],
                        help="the path that the SiT was trained on (default: linear)")
    parser.add_argument("--tree", metavar="NAME", help="which of several networks in the file, by the words before its "
                        "tensors' names (default: the only averages, or else the only raw weights)")
    parser.add_argument("--variant", metavar="NAME", help="of a directory: the variant of the weights, such as fp16 "
                        "(default: the plain ones, or the only variant)")
    parser.add_argument("--dtype", choices=list(DTYPES), default="keep",
                        help="the element type of the weights (default: %(default)s)")
    return parser.parse_args()


def main():
    given = arguments()
    partial = given.out.with_name(given.out.name + ".partial")
    try:
        if not given.source.exists():
            raise Problem(f"{given.source}: no such file or directory")
        for path in (given.out, partial):
            if path.exists():
                raise Problem(f"{path}: exists already; remove it or name another directory")
        partial.mkdir(parents=True)
        if given.source.is_dir():
            directories.convert(given, partial)
        else:
            if given.variant:
                raise Problem(f"--variant {given.variant}: only for directories; {given.source} is a file")
            official.convert(given, partial)
            directories.add_decoders(given, partial)
        partial.rename(given.out)
    except (Problem, OSError) as problem:
        shutil.rmtree(partial, ignore_errors=True)
        sys.exit("convert: " + one_line(problem))
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    print(f"{given.out}: written, read back and equal; run: omnicache info {given.out}")


if __name__ == "__main__":
    main()
