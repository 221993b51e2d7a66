#!/bin/sh
# Samples a batch on this machine, with a process for each shard.
#
# usage: Scripts/batch.sh [-d DIR] [-p N] [--dry-run] -- OPTION...
#
#   -d DIR      the directory of the images, {index}.png; created if needed (default: samples)
#   -p N        the number of processes, which share the processors (default: 2)
#   --dry-run   print the commands without running them
#   OPTION...   what to sample, such as --batch list.csv, or --class all --count 1000 --seed 1
#
# A single process also keeps all processors busy. Several processes help if processors have their own memory (NUMA), and
# survive the failure of one. Identical images are skipped, so the same command again continues where it stopped. Ctrl-C
# and SIGTERM stop all processes; the exit code is then 75. Otherwise it is the largest of their exit codes. The binary
# is $OMNICACHE; if that is not set, omnicache on the PATH, or the one that was built beside this script.

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

# The terminal sends Ctrl-C to all processes itself. A second signal would end them at once, so INT is not passed on.
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
        # The signal may have come before the process was added to the list.
        [ -z "$told" ] || [ "$told" = "told $pids" ] || kill -TERM "$!" 2>/dev/null || :
    fi
    # Removes the two words of the shard from the end.
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
    # SIGTERM came before the process could handle it.
    [ "$status" != 143 ] || ! $stopping || status=75
    [ "$status" -le "$worst" ] || worst=$status
done
exit "$worst"
