# shellcheck shell=bash
# Scripts/collect.sh packs images as the field's evaluators read them, and names what is wrong.

# Whether collect.sh refuses the directory `batch` with code $1 and one line that names $2.
refuses() {
    [ "$(code "$SCRIPTS/collect.sh" batch)" = "$1" ] && [ "$(wc -l <error)" = 1 ] && grep -qF "collect.sh: " error \
        && grep -qF "$2" error
}
# Makes a new directory `batch` with one image.
new_batch() {
    rm -rf batch
    mkdir batch
    sample --count 1 --shard 0/1 -o 'batch/{index}.png' >/dev/null
}

new_batch
check "a sound set of one image is none to complain of" "$SCRIPTS/collect.sh" batch
for text in '' '[1]' 'null' '{}' '{"count": -1}' '{"count": true}' '{"count": 1e300}' '{"count": "1"}' $'"\xff"'; do
    printf '%s' "$text" >batch/run.json
    check "a run.json of $(printf %q "$text") is refused with 65" refuses 65 batch/run.json
done
rm batch/run.json
check "no run.json is refused with 66" refuses 66 batch/run.json
new_batch
manifest=batch/manifest-0-of-1.jsonl
line=$(cat $manifest)
# The line with another value: with KEY VALUE.
with() { sed -E "s#\"$1\":(\"[^\"]*\"|[^,}]*)#\"$1\":$2#" <<<"$line"; }
long=$(head -c 70000 /dev/zero | tr '\0' a)
for text in '{}' '[]' '7' $'\xff' '{"index": 0, "file": 7, "sha256": ""}' "$(with file '"\\u0000"')" "$(with file '"\\ud800"')" \
    "$(with index '"0"')" "$(with index true)" "$(with index -1)" "$(with index 1)" "$(with index 1e300)" "$(with seed -1)" \
    "$(with seed 4294967296)" "$(with seconds NaN)" "$(with seconds -1)" "$(with seconds 1e999)" "$(with classID 0.5)" \
    "$(with evaluations -1)" "$(with evaluations 99999999999999999999)" "$(with sha256 '"zz"')" "$(with class "\"$long\"")" \
    "${line/\{/\{\"seed\":7,}" "$(printf '[%.0s' {1..20000})" "$(printf '9%.0s' {1..20000})"; do
    printf '%s\n%s\n' "$line" "$text" >$manifest
    check "a manifest's line $(printf %q "${text:0:90}") is refused with 65" refuses 65 manifest-0-of-1.jsonl:2
done
# A separator of lines that is none in JSON.
printf '%s\n' "${line/\"class\":\"/\"class\":\"$'\xe2\x80\xa8'}" >$manifest
check "a class with U+2028 in its name is no end of a line" "$SCRIPTS/collect.sh" batch
for listed in /dev/zero /etc/passwd ../one/000000.png a/../000000.png .. . '' ./000000.png a//000000.png '..\\\\x' '\\n' '\\u001b[31m'; do
    with file "\"$listed\"" >$manifest
    check "a manifest that lists '$listed' is refused with 65" refuses 65 manifest-0-of-1.jsonl:1
    check "analyze refuses it, too" [ "$(code "$OMNICACHE" analyze --force batch)" = 65 ]
done
printf '%s\n' "$line" >$manifest
mv batch/000000.png kept.png
for make in 'mkfifo batch/000000.png' 'ln -s ../kept.png batch/000000.png' 'ln -s 000000.png batch/000000.png' \
    'mkdir batch/000000.png' 'truncate -s 2G batch/000000.png'; do
    rm -rf batch/000000.png
    $make
    check "an image that is made by '$make' is refused with 65" refuses 65 batch/000000.png
    check "analyze refuses it, too" [ "$(code "$OMNICACHE" analyze --force batch)" = 65 ]
done
rm -rf batch/000000.png
mv kept.png batch/000000.png
for file in $manifest batch/run.json; do
    mv "$file" kept
    for make in "mkdir $file" "mkfifo $file" "ln -s ../kept $file"; do
        $make
        check "a manifest made by '$make' is refused with 65" refuses 65 "$file"
        check "analyze refuses them, too" [ "$(code "$OMNICACHE" analyze --force batch)" = 65 ]
        rm -r "$file"
    done
    mv kept "$file"
done

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
    # The same images two by two, in twelve clips.
    mkdir clips
    "$interpreter" -B -c '
import hashlib, json, struct, zlib
chunk = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
def pixels(name):
    data, position, packed = open(name, "rb").read(), 8, b""
    while position < len(data):
        length, kind = struct.unpack(">I4s", data[position:position + 8])
        packed += data[position + 8:position + 8 + length] if kind == b"IDAT" else b""
        position += length + 12
    return packed
control = lambda number: chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, 64, 64, 0, 0, 1, 8, 0, 0))
with open("clips/manifest-0-of-1.jsonl", "w") as manifest:
    for index, line in enumerate(sorted(map(json.loads, open("one/manifest-0-of-1.jsonl")), key=lambda line: line["index"])[:12]):
        first, second = (pixels(f"one/{2 * index + frame:06}.png") for frame in range(2))
        clip = (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">II", 64, 64) + bytes([8, 2, 0, 0, 0]))
                + chunk(b"acTL", struct.pack(">II", 2, 0)) + control(0) + chunk(b"IDAT", first) + control(1)
                + chunk(b"fdAT", struct.pack(">I", 2) + second) + chunk(b"IEND", b""))
        open(f"clips/{index:06}.png", "wb").write(clip)
        line |= {"index": index, "file": f"{index:06}.png", "sha256": hashlib.sha256(clip).hexdigest()}
        manifest.write(json.dumps(line) + "\n")
run = json.load(open("one/run.json"))
json.dump(run | {"count": 12}, open("clips/run.json", "w"))'
    PYTHON=$interpreter "$SCRIPTS/collect.sh" -o clips.npz clips
    check "clips of two frames are packed as (12, 2, 64, 64, 3)" "$interpreter" -c '
import numpy
clips, images = (numpy.load(name)["arr_0"] for name in ("clips.npz", "one.npz"))
assert clips.shape == (12, 2, 64, 64, 3), clips.shape
assert (clips.reshape(images.shape) == images).all()'
    # Five images of this set, and less than one.
    for bytes in 62000 1; do
        check "the same comes out of pieces of $bytes bytes" "$interpreter" -B -c '
import sys
import numpy
sys.path.insert(0, sys.argv[1])
import manifest, pack
pack.BYTES_AT_ONCE = int(sys.argv[2])
folder = manifest.Folder("one")
pack.pack(folder, manifest.check(folder, 24)[0], "pieces.npz")
assert (numpy.load("pieces.npz")["arr_0"] == numpy.load("one.npz")["arr_0"]).all()' "$SCRIPTS/collect" $bytes
    done
    # Small files that declare a picture of any size, listed with their true sums.
    cp -R batch bomb
    for size in '60000 60000' '4096 4096' '64 65' '63 64' '0 64'; do
        rm -f bomb.npz
        "$interpreter" -c '
import hashlib, json, struct, sys, zlib
head = struct.pack(">II", *map(int, sys.argv[1].split())) + bytes([8, 2, 0, 0, 0])
chunk = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
image = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(50_000_000))) + chunk(b"IEND", b"")
open("bomb/000000.png", "wb").write(image)
line = json.load(open("bomb/manifest-0-of-1.jsonl"))
line["sha256"] = hashlib.sha256(image).hexdigest()
open("bomb/manifest-0-of-1.jsonl", "w").write(json.dumps(line) + "\n")' "$size"
        check "a bomb that declares $size pixels is refused with 65" \
            [ "$(PYTHON=$interpreter code "$SCRIPTS/collect.sh" -o bomb.npz bomb)$(wc -l <error)" = 651 ]
        check "nothing is packed of it" [ -z "$(find . -maxdepth 1 -name '*bomb.npz*' -o -maxdepth 1 -name '.collect*')" ]
        check "analyze refuses it, too" [ "$(code "$OMNICACHE" analyze --force bomb)" = 65 ]
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
