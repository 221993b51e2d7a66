#!/bin/sh
# Samples a batch on this machine, its shards as processes side by side.
#
# usage: Scripts/batch.sh [-d DIR] [-p N] [--dry-run] -- OPTION...
#
#   -d DIR      where the images go, as {index}.png; made if it is not there (default: samples)
#   -p N        how many processes (default: 2); the processors are divided among them
#   --dry-run   print the commands and run none of them
#   OPTION...   says what is sampled, such as --batch list.csv, or --class all --count 1000 --seed 1
#
# One process keeps all processors busy, too: several are of use where processors have memory of their own, or to be
# safe from one that dies. Images that are there are left as they are, so that the same command again goes on where it
# stopped. Ctrl-C stops all with 75; of several exit codes, the largest is given. The environment variable OMNICACHE
# names the binary; without it, omnicache on the PATH is called, else the one that was built beside this script.

set -eu

export NAME=batch.sh
# shellcheck source=/dev/null
. "$(dirname "$0")/common.sh"

directory=samples
processes=2
dry_run=false
taken=0
status=0
read_options "d:directory p:processes" "$@"
shift "$taken"
needs_words "$@"
shift
positive -p "$processes"
binary=$(find_binary)
threads=$(($(nproc) / processes))
[ "$threads" -gt 0 ] || threads=1
$dry_run || make_directory "$directory"

# Ctrl-C comes to all processes of the terminal by itself; a second signal would end them at once.
pids=
trap : INT
# shellcheck disable=SC2086
trap '[ -z "$pids" ] || kill -TERM $pids 2>/dev/null || :' TERM

shard=0
while [ "$shard" -lt "$processes" ]; do
    set -- "$@" --shard "$shard/$processes"
    if $dry_run; then
        quote "$binary" sample --threads "$threads" --output "$directory/{index}.png" "$@"
    else
        "$binary" sample --threads "$threads" --output "$directory/{index}.png" "$@" &
        pids="$pids $!"
    fi
    # Drops the shard's two words from the end.
    count=$(($# - 2))
    while [ "$count" -gt 0 ]; do
        set -- "$@" "$1"
        shift
        count=$((count - 1))
    done
    shift 2
    shard=$((shard + 1))
done

worst=0
for pid in $pids; do
    await "$pid"
    [ "$status" -le "$worst" ] || worst=$status
done
exit "$worst"
