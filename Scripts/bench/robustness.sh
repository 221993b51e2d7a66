#!/bin/sh
# Holds the default against the strongest published strategies and against fewer steps, over samplers, step counts and
# guidance scales, and prints one table that marks where the default loses.
#
# usage: Scripts/bench/robustness.sh [OPTION VALUE]...
#
#   -n PAIRS     pairs of class and seed in each row (default: 128)
#   -s SEED      the first pair's seed (default: 2000001; the seeds from there on are for reports, not for tuning)
#   -b BUDGETS   the budgets, separated by commas (default: 0.5,0.33,0.2)
#   -p PEERS     the strategies that the default is held against (default: dpcache,lemica,taylorseer,hicache,
#                seacache,uniform+taylor:2)
#   -c OPTIONS   what else calibrate is told in each row, such as "--search --samples 24" (default: nothing, four images)
#   -m MODEL     the model (default: the embedded one, and the embedded flow in the rows that name it)
#   -r NAMES     only these rows, separated by commas; ddim-50 stands for all whose names begin with ddim-50-
#   -d DIR       where rows are kept (default: robustness)
#
# A row takes from minutes to hours. Finished ones are kept in DIR, so the same command again continues where it was
# stopped. A row is measured anew if the program or its settings have changed, with a calibration of its own (DIR/cache).
# Of each row, DIR also has what compare writes: a page, and all figures of all pairs.

set -eu

export NAME=robustness.sh
HERE=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=/dev/null
. "$HERE/common.sh"

# A row a line: its name, the options of omnicache, and peers that only such a run can have. Rows with a model of their
# own are left out with -m.
rows() {
    cat <<'LIST'
ddim-50-guidance-1|--sampler ddim --steps 50 --cfg-scale 1
ddim-50-guidance-1.5|--sampler ddim --steps 50 --cfg-scale 1.5
ddim-50-guidance-4|--sampler ddim --steps 50 --cfg-scale 4
ddim-50-guidance-7|--sampler ddim --steps 50 --cfg-scale 7
ddim-8|--sampler ddim --steps 8 --cfg-scale 1.5
ddim-10|--sampler ddim --steps 10 --cfg-scale 1.5
ddim-15|--sampler ddim --steps 15 --cfg-scale 1.5
ddim-20|--sampler ddim --steps 20 --cfg-scale 1.5
ddim-25|--sampler ddim --steps 25 --cfg-scale 1.5
ddim-100|--sampler ddim --steps 100 --cfg-scale 1.5
ddim-250|--sampler ddim --steps 250 --cfg-scale 1.5
dpm++2m-20|--sampler dpm++2m --steps 20 --cfg-scale 1.5
dpm++2m-50|--sampler dpm++2m --steps 50 --cfg-scale 1.5
euler-50|--sampler euler --steps 50 --cfg-scale 1.5
ddim-eta-1-50|--sampler ddim --eta 1 --steps 50 --cfg-scale 1.5
ddpm-50|--sampler ddpm --steps 50 --cfg-scale 1.5
sde-50|--sampler sde --steps 50 --cfg-scale 1.5
flow-guidance-1|--model emoji-sit-s8 --sampler euler --steps 50 --cfg-scale 1|meancache
flow-euler-50|--model emoji-sit-s8 --sampler euler --steps 50 --cfg-scale 1.5|meancache
flow-guidance-4|--model emoji-sit-s8 --sampler euler --steps 50 --cfg-scale 4|meancache
flow-euler-20|--model emoji-sit-s8 --sampler euler --steps 20 --cfg-scale 1.5|meancache
flow-heun-20|--model emoji-sit-s8 --sampler heun --steps 20 --cfg-scale 1.5
flow-dpm++2m-20|--model emoji-sit-s8 --sampler dpm++2m --steps 20 --cfg-scale 1.5|meancache
flow-sde-50|--model emoji-sit-s8 --sampler sde --steps 50 --cfg-scale 1.5|meancache
LIST
}

pairs=128
seed=2000001
budgets=0.5,0.33,0.2
peers=dpcache,lemica,taylorseer,hicache,seacache,uniform+taylor:2
calibrating=
model=
only=
directory=robustness
binary=
taken=0
status=0
read_options "n:pairs s:seed b:budgets p:peers c:calibrating m:model r:only d:directory" "$@"
shift "$taken"
[ $# = 0 ] || fail 64 "unexpected argument $1; see $NAME --help"
"${dry_run:-false}" && fail 64 "there is no --dry-run; -n 2 is quick"
positive -n "$pairs"
find_binary
case $directory in /* | ./*) ;; *) directory=./$directory ;; esac
make_directory
build=$(cksum <"$binary") || fail 66 "cannot read $binary; run make build"
XDG_CACHE_HOME="$directory/cache/${build%% *}"
[ -z "$calibrating" ] || XDG_CACHE_HOME=$XDG_CACHE_HOME$(printf '%s' "-$calibrating" | tr -c 'a-z0-9.,' '-')
export XDG_CACHE_HOME

pid=
stopping=false
part=$directory/part.$$
trap 'stopping=true' INT
trap 'stopping=true; [ -z "$pid" ] || kill -TERM "$pid" 2>/dev/null || :' TERM
trap 'rm -f "$part" "$part.errors" "$part.whole"' EXIT

# Runs the program, and sets status to its exit code.
run() {
    "$binary" "$@" </dev/null &
    pid=$!
    await "$pid"
    pid=
}

# Ends the script unless the last run has succeeded, or its settings are such that it cannot ($1: what it was).
must() {
    if $stopping || [ "$status" = 75 ]; then fail 75 "stopped; the same command again continues"; fi
    [ "$status" = 0 ] || [ "$status" = 64 ] || fail "$status" "$1 failed: $(tail -n 1 "$part.errors")"
}

# Whether the row $1 is one of those that -r names.
wanted() {
    [ -n "$only" ] || return 0
    # Names of rows have no spaces, and so no text of -r that fits one has.
    for text in $(printf '%s' "$only" | tr ',' ' '); do
        case $1 in "$text" | "$text"-*) return 0 ;; esac
    done
    return 1
}

# Measures the row $1, unless it is there, with the further peers $2; the other words are its options.
measure() {
    row=$1
    rivals=$peers${2:+,$2}
    file=$directory/$row.rows
    shift 2
    [ -z "$model" ] || set -- "$@" --model "$model"
    run compare --dry-run "$@" --budgets "$budgets" >"$part" 2>"$part.errors"
    must "$row"
    if [ "$status" = 64 ]; then
        printf '%s\n' "$row: left out: $(tail -n 1 "$part.errors")" >&2
        rm -f "$file"
        return
    fi
    # The first strategy that compare names is the program's default.
    default=$(sed 's/ at .*//;q' "$part")
    key="# $build, $pairs pairs, seed $seed, budgets $budgets, $default,$rivals, $*${calibrating:+, calibrate $calibrating}"
    if [ -f "$file" ] && [ "$(head -n 1 "$file")" = "$key" ]; then
        echo "$row: is there" >&2
        return
    fi
    echo "$row: $pairs pairs" >&2
    # shellcheck disable=SC2086
    run calibrate "$@" --budget "$budgets" $calibrating --quiet >/dev/null 2>"$part.errors"
    must "$row: calibrate"
    run compare "$@" --count "$pairs" --seed "$seed" --budgets "$budgets" --strategies "$default,$rivals" --no-timing \
        --log json --quiet --force --output "$directory/$row" >"$part" 2>"$part.errors"
    must "$row: compare"
    [ "$status" = 0 ] || fail "$status" "$row: $(tail -n 1 "$part.errors")"
    { echo "$key"; grep '^{"budget"' "$part"; } >"$part.whole"
    mv "$part.whole" "$file"
}

files=
set -f
while IFS='|' read -r name options own; do
    wanted "$name" || continue
    case $model:$options in ?*:*--model*) continue ;; esac
    # shellcheck disable=SC2086
    measure "$name" "$own" $options
    [ ! -f "$directory/$name.rows" ] || files="$files $name"
done <<LIST
$(rows)
LIST
[ -n "$files" ] || fail 64 "-r '$only': no row can be measured"
# Names of rows have no spaces; that of the directory may have.
cd -- "$directory"
# shellcheck disable=SC2086
set -- $files
for name; do
    set -- "$@" "$name.rows"
    shift
done
LC_ALL=C awk -f "$HERE/bench/robustness.awk" "$@" | tee table.txt
printf '%s\n' "PSNR in dB to the uncached images of $pairs pairs from seed $seed. flips: share of images that become another." \
    "best peer: the one of $peers, for flows also meancache, with the highest 5th" \
    "percentile. loses: to any of them or to fewer steps; also in mean SSIM." | tee -a table.txt
