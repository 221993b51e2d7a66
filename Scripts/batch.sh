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
# stopped. Ctrl-C and SIGTERM stop all with 75; of several exit codes, the largest is given. The environment variable OMNICACHE
# names the binary; without it, omnicache on the PATH is called, else the one that was built beside this script.

set -eu

export NAME=batch.sh
case $0 in /*) HERE=${0%/*} ;; *) HERE=$PWD/${0%"${0##*/}"} ;; esac
# shellcheck source=/dev/null
. "$HERE/common.sh"

directory=samples
processes=2
dry_run=false
binary=
output=
taken=0
status=0
read_options "d:directory p:processes" "$@"
shift "$taken"
needs_words "$@"
shift
positive -p "$processes"
find_binary
place_in "$directory"
threads=$(($(nproc) / processes))
[ "$threads" -gt 0 ] || threads=1
$dry_run || make_directory

# Ctrl-C comes to all processes of the terminal by itself; a second signal would end them at once.
pids=
told=
stopping=false
trap 'stopping=true' INT
# shellcheck disable=SC2086
trap 'stopping=true; told="told $pids"; [ -z "$pids" ] || kill -TERM $pids 2>/dev/null || :' TERM

shard=0
while [ "$shard" -lt "$processes" ] && ! $stopping; do
    set -- "$@" --shard "$shard/$processes"
    if $dry_run; then
        print_command "$binary" sample --threads "$threads" --output="$output" "$@"
    else
        "$binary" sample --threads "$threads" --output="$output" "$@" &
        pids="$pids $!"
        # The signal may have come before the process was in the list.
        [ -z "$told" ] || [ "$told" = "told $pids" ] || kill -TERM "$!" 2>/dev/null || :
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
[ "$shard" = "$processes" ] || worst=75
for pid in $pids; do
    await "$pid"
    # Told to end before it could listen.
    [ "$status" != 143 ] || ! $stopping || status=75
    [ "$status" -le "$worst" ] || worst=$status
done
exit "$worst"
