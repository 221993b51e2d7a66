#!/bin/bash
# Samples the same requests with two builds and compares every file byte for byte. This checks a change that should not
# change results. Exits with 1 if a file differs or a request fails in one build alone.
#
# usage: Scripts/verify/same-images.sh OLD NEW [FILTER]
#
#   OLD, NEW   the two binaries
#   FILTER     only requests that hold this text
#
# NEW also samples each image of OLD again from its metadata (--like).

set -euo pipefail

if [ $# -lt 2 ]; then
    sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
    exit 64
fi
old=$(realpath "$1")
new=$(realpath "$2")
filter=${3:-}
root=$(cd "$(dirname "$0")/../.." && pwd)
: "${OMNICACHE_MODELS:=$root/Models}"
export OMNICACHE_MODELS
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
golden=$root/Tests/PipelineSupport/Golden
decoders=$root/Tests/ModelsTests/Golden

# One request a line; @M/ are the tests' small models, @D/ their decoders.
requests() {
    cat <<'LIST'
sample --class 3 --seed 1
sample --class 31 --seed 7 --steps 12 --cfg-scale 3
sample --class 31 --seed 7 --steps 12 --cfg-scale 1
sample --class 5,80 --count 4 --seed 9 --steps 8 -o {class}-{seed}.png
sample --class all --seed 1 --steps 2 --grid 11 -o sheet.png
sample --class 3 --seed 1 --steps 8 --format ppm
sample --class 3 --seed 1 --steps 8 --save-latents latents.safetensors
sample --class 3 --seed 1 --steps 10 --threads 1
sample --class 3 --seed 1 --steps 10 --sampler ddpm
sample --class 3 --seed 1 --steps 10 --sampler ddpm --variance fixed_large
sample --class 3 --seed 1 --steps 10 --eta 0.7
sample --class 3 --seed 1 --steps 10 --sampler dpm++2m
sample --class 3 --seed 1 --steps 10 --sampler euler
sample --class 3 --seed 1 --steps 10 --sampler heun
sample --class 3 --seed 1 --steps 10 --spacing leading
sample --class 3 --seed 1 --steps 10 --spacing trailing
sample --class 3 --seed 1 --steps 10 --spacing respaced
sample --class 3 --seed 1 --steps 10 --clip 1
sample --class 3 --seed 1 --steps 10 --guided-channels 2
sample --class 80 --seed 3 --budget 0.5
sample --class 80 --seed 3 --budget 0.4
sample --class 80 --seed 3 --budget 0.33
sample --class 80 --seed 3 --budget 0.2
sample --class 80 --seed 3 --budget 0.45
sample --class 80 --seed 3 --budget 0.5 --planner curvature
sample --class 80 --seed 3 --budget 0.4 --planner balanced
sample --class 80 --seed 3 --budget 0.4 --planner path-deviation
sample --class 80 --seed 3 --budget 0.3 --planner uniform --forecaster hold
sample --class 80 --seed 3 --budget 0.3 --planner late --forecaster taylor:2
sample --class 80 --seed 3 --budget 0.3 --planner uniform --forecaster hermite
sample --class 80 --seed 3 --budget 0.5 --planner curvature --forecaster omnicache
sample --class 80 --seed 3 --budget 0.5 --planner curvature --forecaster omnicache:unfiltered
sample --class 80 --seed 3 --budget 0.4 --forecaster spectral
sample --class 80 --seed 3 --budget 0.4 --reuse-window 0.1:0.9 --max-reuse-run 3
sample --class 80 --seed 3 --steps 8 --mask 1,1,0,1,0,1,0,1 --forecaster hold
sample --class 80 --seed 3 --steps 20 --budget 0.5
sample --class all --count 6 --seed 1 --steps 4 --manifest -o {index}.png
sample --class all --count 6 --seed 1 --steps 4 --shard 1/2 -o {index}.png
plan --budget 0.33 -o plan.json
sample --model @M/official-sample --seed 1 --steps 10 -o a.png
sample --model @M/official-sample --seed 1 --steps 10 --sampler ddpm --save-latents a.safetensors -o a.png
sample --model @M/diffusers-v --seed 1 --steps 10 -o a.png
sample --model @M/diffusers-flow --seed 1 --steps 10 --save-latents a.safetensors -o a.png
sample --model @M/official-v-bfloat16-shards --seed 1 --steps 10 -o a.png
sample --model @M/official-v-bfloat16-shards --seed 1 --steps 10 --weights-precision stored -o a.png
sample --model @M/diffusers-epsilon-sigma --decoder @D/kl --seed 1 --steps 10 -o a.png
sample --model @M/diffusers-epsilon-sigma --decoder @D/tiny --seed 1 --steps 10 -o a.png
sample --model @M/diffusers-epsilon-sigma --decoder @D/kl --seed 1 --steps 10 --sampler ddpm --variance learned_range -o a.png
sample --model @M/official-epsilon-sigma-float16 --decoder @D/kl --seed 1 --steps 10 --weights-precision stored -o a.png
sample --model @M/official-epsilon-sigma-float16 --decoder @D/tiny --seed 1 --steps 20 --budget 0.5 -o a.png
LIST
}

# Runs a request in a directory of its own, with calibrations of its own build; what it says goes into a log beside it.
draw() {
    local binary=$1 directory=$2
    shift 2
    mkdir -p "$directory"
    (cd "$directory" && XDG_CACHE_HOME=$work/cache-${binary//\//-} "$binary" "$@" >/dev/null 2>"$directory.log") \
        || echo "exit code $?" >"$directory/failed"
}

count=0
differing=0
while read -r -a request; do
    [[ "${request[*]}" == *"$filter"* ]] || continue
    count=$((count + 1))
    words=("${request[@]/@M/$golden}")
    words=("${words[@]/@D/$decoders}")
    draw "$old" "$work/old/$count" "${words[@]}"
    draw "$new" "$work/new/$count" "${words[@]}"
    again=()
    if [ -z "$(ls "$work/old/$count"/*.png 2>/dev/null)" ]; then
        :
    elif [[ "${request[*]}" == *--class* && "${request[*]}" != *--count* ]]; then
        image=$(ls "$work/old/$count"/*.png)
        draw "$new" "$work/like/$count" sample --like "$image" -o "${image##*/}"
        again=("$work/like/$count/${image##*/}" "$image")
    fi
    # The seconds in a manifest differ from run to run.
    if ! diff -r --exclude='manifest-*' "$work/old/$count" "$work/new/$count" >/dev/null; then
        echo "DIFFERS: ${request[*]}"
        differing=$((differing + 1))
    elif [ ${#again[@]} -gt 0 ] && ! cmp -s "${again[@]}"; then
        echo "--like DIFFERS: ${request[*]}"
        differing=$((differing + 1))
    elif [ -e "$work/old/$count/failed" ]; then
        echo "fails in both: ${request[*]}: $(tail -n 1 "$work/old/$count.log")"
        differing=$((differing + 1))
    fi
done < <(requests)
echo "$count requests, $differing differ"
[ "$differing" = 0 ]
