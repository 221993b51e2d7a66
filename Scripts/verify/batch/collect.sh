# shellcheck shell=bash
# Scripts/collect.sh packs images as the field's evaluators read them, and names what is wrong.

if ! interpreter=$(python); then
    skipped "packing: no Python with numpy can be had"
else
    whole
    mkdir pixmaps
    sample --shard 0/1 -o 'pixmaps/{index}.ppm' >/dev/null
    for set in one pixmaps; do PYTHON=$interpreter "$SCRIPTS/collect.sh" -o $set.npz $set; done
    check "an .npz holds arr_0, uint8, (24, 64, 64, 3), the same from PNG and from PPM" "$interpreter" -c '
import numpy
png, ppm = (numpy.load(name) for name in ("one.npz", "pixmaps.npz"))
assert png.files == ["arr_0"], png.files
png, ppm = png["arr_0"], ppm["arr_0"]
assert (png.shape, png.dtype) == ((24, 64, 64, 3), numpy.uint8), (png.shape, png.dtype)
assert (png == ppm).all() and png.std() > 1'
    cp -R pixmaps damaged
    rm damaged/000005.ppm
    printf x >>damaged/000006.ppm
    sed -i 3d damaged/manifest-0-of-1.jsonl
    status=$(PYTHON=$interpreter code "$SCRIPTS/collect.sh" -o damaged.npz damaged)
    check "an incomplete set is refused with 65" [ "$status" = 65 ]
    for named in '1 of 24 images are missing: 2' 000005.ppm 000006.ppm; do
        check "what is wrong is named: $named" grep -qF "$named" error
    done
    check "nothing is packed of it" [ ! -e damaged.npz ]
fi
