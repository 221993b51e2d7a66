#!/bin/sh
# Samples a batch as a Slurm job array, a task for each shard.
#
# usage: Scripts/slurm.sh [-d DIR] [-n N] [-c CPUS] [--dry-run] -- OPTION...
#
#   -d DIR      where the images go, as {index}.png, on a file system that all nodes have (default: samples)
#   -n N        how many shards (default: 4)
#   -c CPUS     the processors of each task (default: 1)
#   --dry-run   print the command that submits the array, and do not run it
#   OPTION...   says what is sampled, such as --batch list.csv, or --class all --count 50000 --seed 1
#
# A task that is told to end (time limit, preemption, scancel --signal=TERM) stops between two steps and queues itself
# again; one that a node takes with it is queued again by Slurm. Either goes on where it stopped. What sbatch should know
# besides, such as SBATCH_PARTITION or SBATCH_TIMELIMIT, it reads from the environment. OMNICACHE names the binary.

set -eu

export NAME=slurm.sh
# shellcheck source=/dev/null
. "$(dirname "$0")/common.sh"

directory=samples
shards=4
processors=1
dry_run=false
is_task=false
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help) usage "$0"; exit 0 ;;
        -d) [ $# -ge 2 ] || fail 64 "-d needs a directory"; directory=$2; shift 2 ;;
        -n) [ $# -ge 2 ] || fail 64 "-n needs a number"; shards=$2; shift 2 ;;
        -c) [ $# -ge 2 ] || fail 64 "-c needs a number"; processors=$2; shift 2 ;;
        --dry-run) dry_run=true; shift ;;
        --task) is_task=true; shift ;;
        --) break ;;
        *) fail 64 "unexpected argument $1; options of omnicache come after --" ;;
    esac
done
[ $# -ge 2 ] || fail 64 "say after -- what is sampled; see slurm.sh --help"
shift
positive -n "$shards"
positive -c "$processors"
binary=$(find_binary)

if ! $is_task; then
    self=$(cd "$(dirname "$0")" && pwd)/slurm.sh
    # exec, so that the signals to the job's shell come to this script.
    task="OMNICACHE=$(quote "$binary")exec $(quote "$self" --task -d "$directory" -n "$shards" -c "$processors" -- "$@")"
    set -- sbatch --job-name=omnicache --array="0-$((shards - 1))" --cpus-per-task="$processors" --requeue \
        --open-mode=append --signal=B:TERM@60 --output="$directory/slurm-%A_%a.log" --wrap "$task"
    if $dry_run; then
        quote "$@"
        exit 0
    fi
    mkdir -p -- "$directory" || fail 73 "$directory cannot be made"
    exec "$@"
fi

mkdir -p -- "$directory" || fail 73 "$directory cannot be made"
"$binary" sample --threads "$processors" --output "$directory/{index}.png" "$@" \
    --shard "${SLURM_ARRAY_TASK_ID:?is set by Slurm}/$shards" &
pid=$!
trap 'kill -TERM "$pid" 2>/dev/null || :' INT TERM
code=0
wait "$pid" || code=$?
while kill -0 "$pid" 2>/dev/null; do
    code=0
    wait "$pid" || code=$?
done
if [ "$code" = 75 ]; then
    exec scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
fi
exit "$code"
