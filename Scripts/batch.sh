#!/bin/sh
# Samples a list of classes and seeds: one call of omnicache for each class and seed.
#
# usage: Scripts/batch.sh [-d DIR] [-n STEPS] [--dry-run] CLASSES SEEDS [-- OPTION...]
#
#   CLASSES     names or numbers separated by commas, such as face-smiling,food-fruit,4
#   SEEDS       numbers and ranges separated by commas, such as 0-9,42
#   -d DIR      where the images go; made if it is not there (default: samples)
#   -n STEPS    the number of steps (default: omnicache's own)
#   --dry-run   print the commands and run none of them
#   OPTION...   goes to every call, such as --model DIR --cfg-scale 2
#
# Images that are there already are left as they are, so that the same command again goes on where it stopped. The first
# error stops the batch with the exit code of omnicache; Ctrl-C stops it with 75. The environment variable OMNICACHE names the
# binary; without it, omnicache on the PATH is called, else the one that was built beside this script.

set -eu

usage() {
    sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
}

fail() {
    code=$1
    shift
    printf 'batch.sh: %s\n' "$*" >&2
    exit "$code"
}

# Prints the words of a command so that a shell reads them back as they are.
quote() {
    for word in "$@"; do
        case $word in
            '' | *[!A-Za-z0-9_./:=,+{}-]*)
                printf "'%s' " "$(printf '%s' "$word" | sed "s/'/'\\\\''/g")" ;;
            *) printf '%s ' "$word" ;;
        esac
    done
    printf '\n'
}

number() {
    case $1 in
        '' | *[!0-9]* | 0?* | ???????????*) fail 64 "'$1' is no seed; give numbers and ranges such as 0-9,42" ;;
    esac
}

find_binary() {
    if [ -n "${OMNICACHE:-}" ]; then
        printf '%s\n' "$OMNICACHE"
    elif command -v omnicache; then
        :
    else
        built=$(dirname "$0")/../.build/release/omnicache
        [ -x "$built" ] || fail 66 "omnicache is neither on the PATH nor built; run make, or set OMNICACHE"
        printf '%s\n' "$built"
    fi
}

directory=samples
steps=
dry_run=false
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help) usage; exit 0 ;;
        -d) [ $# -ge 2 ] || fail 64 "-d needs a directory"; directory=$2; shift 2 ;;
        -n) [ $# -ge 2 ] || fail 64 "-n needs a number of steps"; steps=$2; shift 2 ;;
        --dry-run) dry_run=true; shift ;;
        --) break ;;
        -*) fail 64 "unknown option $1; see batch.sh --help" ;;
        *) break ;;
    esac
done
if [ $# -lt 2 ] || [ "$1" = -- ] || [ "$2" = -- ]; then
    fail 64 "give classes and seeds; see batch.sh --help"
fi
classes=$1
seeds=$2
shift 2
if [ $# -gt 0 ]; then
    [ "$1" = -- ] || fail 64 "unexpected argument $1; options of omnicache come after --"
    shift
fi

binary=$(find_binary)
set -f
IFS=,
for range in $seeds; do
    number "${range%%-*}"
    number "${range#*-}"
    [ "${range%%-*}" -le "${range#*-}" ] || fail 64 "the seeds $range run backwards"
done
$dry_run || mkdir -p -- "$directory" || fail 73 "$directory cannot be made"

# With a trap, the shell waits for omnicache, which Ctrl-C stops between two steps; a signal to this script alone stops
# it after the image.
stopped=false
trap 'stopped=true' INT TERM

run() {
    if $dry_run; then
        quote "$@"
        return
    fi
    code=0
    "$@" || code=$?
    # Ctrl-C may reach omnicache before it listens: then it dies of the signal, and there is still work left.
    ! $stopped || exit 75
    [ "$code" = 0 ] || exit "$code"
}

[ -z "$steps" ] || set -- --steps "$steps" "$@"
for class in $classes; do
    for range in $seeds; do
        seed=${range%%-*}
        while [ "$seed" -le "${range#*-}" ]; do
            run "$binary" sample --class "$class" --seed "$seed" --output "$directory/{class}-{seed}.png" "$@"
            seed=$((seed + 1))
        done
    done
done
