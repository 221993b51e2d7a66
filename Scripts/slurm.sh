#!/bin/sh
# Samples a batch as a Slurm job array, with a task for each shard.
#
# usage: Scripts/slurm.sh [-d DIR] [-n N] [-c CPUS] [--dry-run] -- OPTION...
#
#   -d DIR      the directory of the images, {index}.png, on a file system that nodes share (default: samples)
#   -n N        the number of shards (default: 4)
#   -c CPUS     the processors of each task (default: 1)
#   --dry-run   print the command that submits the array, without running it
#   OPTION...   what to sample, such as --batch list.csv, or --class all --count 50000 --seed 1
#
# A running task that gets SIGTERM (a minute before its time limit, or by scancel --signal=TERM --batch) stops between
# two steps and requeues itself. If its node fails, Slurm requeues it. A cancelled task waits for scontrol requeue. All
# tasks continue where they stopped. sbatch reads other options from the environment, such as SBATCH_PARTITION or
# SBATCH_TIMELIMIT. OMNICACHE names the binary.

set -eu

export NAME=slurm.sh
case $0 in /*) HERE=${0%/*} ;; *) HERE=$PWD/${0%"${0##*/}"} ;; esac
# shellcheck source=/dev/null
. "$HERE/common.sh"

is_task=false
if [ "${1:-}" = --task ]; then
    is_task=true
    shift
fi
directory=samples
shards=4
processors=1
dry_run=false
binary=
output=
quoted=
taken=0
status=0
read_options "d:directory n:shards c:processors" "$@"
shift "$taken"
needs_words "$@"
shift
positive -n "$shards"
positive -c "$processors"
find_binary
place_in "$directory"

if ! $is_task; then
    case $directory in /*) folder=$directory ;; *) folder=$PWD/$directory ;; esac
    # Slurm replaces patterns such as %j in the path of a log and removes backslashes, also in the working directory. So
    # the task opens its log itself; Slurm adds its own messages if the path allows it.
    case $folder in
        *[%\\]*) log=/dev/null ;;
        *) log=$folder/slurm-%A_%a.log ;;
    esac
    quote "$folder/slurm-"
    task="exec >>$quoted\"\${SLURM_ARRAY_JOB_ID}_\$SLURM_ARRAY_TASK_ID.log\" 2>&1"
    quote "$binary"
    task="$task
OMNICACHE=$quoted"
    # exec, so that this script gets the signals to the job's shell.
    quote "$HERE/slurm.sh" --task -d "$directory" -n "$shards" -c "$processors" -- "$@"
    task="$task exec $quoted"
    set -- sbatch --job-name=omnicache --array="0-$((shards - 1))" --cpus-per-task="$processors" --requeue \
        --open-mode=append --signal=B:TERM@60 --output="$log" --wrap "$task"
    if $dry_run; then
        print_command "$@"
        exit 0
    fi
    command -v sbatch >/dev/null || fail 66 "Slurm is not installed"
    make_directory
    exec "$@"
fi

make_directory
"$binary" sample --threads "$processors" --output="$output" "$@" --shard "${SLURM_ARRAY_TASK_ID:?is set by Slurm}/$shards" &
pid=$!
trap 'kill -TERM "$pid" 2>/dev/null || :' INT TERM
await "$pid"
task=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
[ "$status" = 75 ] || exit "$status"
# Slurm's controller may not answer for a moment. If it does not know the task, requeue it all the same.
tries=5
while [ "$tries" -gt 0 ]; do
    state=$(squeue --noheader --jobs "$task" --format %T) || state=
    case $state in
        # A cancelled task must not come back.
        CANCELLED | COMPLETING) exit 75 ;;
        ?*) ! scontrol requeue "$task" || exit 0 ;;
    esac
    tries=$((tries - 1))
    sleep 2
done
exec scontrol requeue "$task"
