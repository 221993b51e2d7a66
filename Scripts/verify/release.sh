#!/bin/bash
# Runs the binary of `make release` in a bare Debian with only the packages that the README names. Prints "ok" or "FAILED"
# for each claim; exits with 1 if one failed. Needs root and debootstrap, and downloads a minimal Debian (100 MB).
#
# usage: Scripts/verify/release.sh --binary OMNICACHE [SUITE]
#
#   SUITE   of Debian; bookworm if it is left out

set -euo pipefail

if [ "${1:-}" != --binary ] || [ $# -lt 2 ]; then
    sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
    exit 64
fi
binary=$(realpath "$2")
suite=${3:-bookworm}
repository=$(cd "$(dirname "$0")/../.." && pwd)
root=$(mktemp -d)
# What is mounted must be gone before anything is removed.
finish() { ! mountpoint -q "$root/proc" || umount "$root/proc"; rm -rf --one-file-system "$root"; }
trap finish EXIT

failures=0
# Runs a test and says whether what $1 claims holds: check CLAIM COMMAND...
check() {
    local claim=$1
    shift
    if "$@"; then echo "ok: $claim"; else echo "FAILED: $claim"; failures=$((failures + 1)); fi
}
# Swift's runtime finds its arguments in /proc; nothing else is mounted.
inside() { chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
omnicache() { inside /usr/local/bin/omnicache "$@" >"$root/output" 2>"$root/error"; }
# Whether omnicache ends with exit code $1 and one line that holds $2.
refuses() {
    local code=$1 text=$2 status=0
    shift 2
    omnicache "$@" || status=$?
    [ "$status" = "$code" ] && [ "$(wc -l <"$root/error")" = 1 ] && grep -q "$text" "$root/error"
}
remove() { inside dpkg --purge --force-depends "$@" >/dev/null; }

debootstrap --variant=minbase --include=libopenblas0-pthread,zlib1g,libssl3,liblapacke,libdnnl2 "$suite" "$root" >"$root.log" 2>&1 ||
    { tail -5 "$root.log"; exit 1; }
rm -f "$root.log"
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
install -D "$binary" "$root/usr/local/bin/omnicache"
mkdir -p "$root/usr/local/share/omnicache/models"
cp -R "$repository/Models/." "$root/usr/local/share/omnicache/models/"

echo "figure: the binary has $(($(stat -c %s "$binary") / 1000000)) MB and needs" \
    "$(objdump -p "$binary" | awk '/NEEDED/ { printf "%s ", $2 }')"
few=(sample --class 3 --seed 7)
fitted=(sample --class 3 --seed 7 --budget 0.5)
explains() { omnicache --version && omnicache --help; }
plans() {
    omnicache plan --budget 0.45 --output "/$1.json" &&
        omnicache sample --class 3 --seed 7 --plan "/$1.json" --output "/$1.png"
}
check "--version and --help" explains
check "info" omnicache info
check "sample" omnicache "${few[@]}" --steps 4 --output /a.png
check "sample with a budget that is fitted" omnicache "${fitted[@]}" --output /b.png
check "plan, and sample by it" plans c
check "calibrate" omnicache calibrate --steps 8 --samples 1 --budget 0.5
check "sample with a budget that has to be fitted" omnicache "${few[@]}" --steps 9 --budget 0.6 --output /d.png
check "analyze" omnicache analyze --steps 4 --count 1 --seed 1 --output /e
check "sample a prompt" omnicache sample --prompt "a red apple" --seed 7 --steps 4 --output /p.png
check "sample a clip" omnicache sample --model motion-latte-s8 --class 12 --seed 7 --steps 4 --output /q.png
check "sample through oneDNN" omnicache "${few[@]}" --steps 4 --engine onednn --output /r.png

remove libdnnl2
check "without libdnnl2, sample" omnicache "${few[@]}" --steps 4 --output /s.png
check "without libdnnl2, --engine auto" omnicache "${few[@]}" --steps 4 --engine auto --output /t.png
check "without libdnnl2, --engine onednn names the package" refuses 71 libdnnl "${few[@]}" --steps 4 --engine onednn --output /u.png

remove liblapacke
check "without liblapacke, sample" omnicache "${few[@]}" --steps 4 --output /f.png
check "without liblapacke, a budget that is fitted" omnicache "${fitted[@]}" --output /g.png
check "without liblapacke, plan, and sample by it" plans i
check "without liblapacke, calibrate" omnicache calibrate --steps 10 --samples 1 --budget 0.5
check "without liblapacke, analyze names the package" refuses 71 liblapacke analyze --steps 4 --count 1 --seed 1 --output /j
remove libopenblas0-pthread
check "without libopenblas0, --version and --help" explains
check "without libopenblas0, info" omnicache info
check "without libopenblas0, sample names the package" refuses 71 libopenblas0 "${few[@]}" --steps 4 --output /h.png
[ "$failures" = 0 ]
