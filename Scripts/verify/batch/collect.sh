# shellcheck shell=bash
# Scripts/collect.sh packs images as the field's evaluators read them, and names what is wrong.

# Whether collect.sh refuses the directory `books` with code $1 and one line that names $2.
refuses() {
    [ "$(code "$SCRIPTS/collect.sh" books)" = "$1" ] && [ "$(wc -l <error)" = 1 ] && grep -qF "collect.sh: " error \
        && grep -qF "$2" error
}
# Takes the directory `books` for a new one of one image, as its books are at first.
new_books() {
    rm -rf books
    mkdir books
    sample --count 1 --shard 0/1 -o 'books/{index}.png' >/dev/null
}

new_books
check "a sound set of one image is none to complain of" "$SCRIPTS/collect.sh" books
for text in '' '[1]' 'null' '{}' '{"count": -1}' '{"count": true}' '{"count": 1e300}' '{"count": "1"}' $'"\xff"'; do
    printf '%s' "$text" >books/run.json
    check "a run.json of $(printf %q "$text") is refused with 65" refuses 65 books/run.json
done
rm books/run.json
check "no run.json is refused with 66" refuses 66 books/run.json
new_books
manifest=books/manifest-0-of-1.jsonl
line=$(cat $manifest)
for text in '{}' '[]' '7' $'\xff' '{"index": 0, "file": 7, "sha256": ""}' '{"index": 0, "file": "\u0000", "sha256": ""}' \
    '{"index": 0, "file": "\ud800", "sha256": ""}' '{"index": "0", "file": "x", "sha256": ""}'; do
    printf '%s\n%s\n' "$line" "$text" >$manifest
    check "a manifest's line $(printf %q "$text") is refused with 65" refuses 65 manifest-0-of-1.jsonl:2
done
# A separator of lines that is none in JSON.
printf '%s\n' "${line/\"class\":\"/\"class\":\"$'\xe2\x80\xa8'}" >$manifest
check "a class with U+2028 in its name is no end of a line" "$SCRIPTS/collect.sh" books
rm $manifest
mkdir $manifest
check "a manifest that cannot be read is refused with 66" refuses 66 $manifest

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
    # Five images of this set, and less than one.
    for bytes in 62000 1; do
        check "the same comes out of pieces of $bytes bytes" "$interpreter" -B -c '
import pathlib, sys
import numpy
sys.path.insert(0, sys.argv[1])
import pack
pack.BYTES_AT_ONCE = int(sys.argv[2])
pack.pack(sorted(pathlib.Path("one").glob("0*.png")), pathlib.Path("pieces.npz"))
assert (numpy.load("pieces.npz")["arr_0"] == numpy.load("one.npz")["arr_0"]).all()' "$SCRIPTS/collect" $bytes
    done
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
