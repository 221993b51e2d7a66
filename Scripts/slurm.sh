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
# A task that is told to end while it runs (a minute before its time limit, or by scancel --signal=TERM --batch) stops
# between two steps and queues itself again; one that a node takes with it is queued again by Slurm. One that is
# cancelled stays so until it is requeued by scontrol. All go on where they stopped. What sbatch should know besides,
# such as SBATCH_PARTITION or SBATCH_TIMELIMIT, it reads from the environment. OMNICACHE names the binary.

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
    # In a log's path Slurm reads patterns such as %j and takes backslashes away, in the working directory before it, too.
    # So the task opens its log itself; Slurm adds its own messages where it can.
    case $folder in
        *[%\\]*) log=/dev/null ;;
        *) log=$folder/slurm-%A_%a.log ;;
    esac
    quote "$folder/slurm-"
    task="exec >>$quoted\"\${SLURM_ARRAY_JOB_ID}_\$SLURM_ARRAY_TASK_ID.log\" 2>&1"
    quote "$binary"
    task="$task
OMNICACHE=$quoted"
    # exec, so that the signals to the job's shell come to this script.
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
# Slurm's controller may be away for a moment; a task that it says nothing of had better be queued once too often.
tries=5
while [ "$tries" -gt 0 ]; do
    state=$(squeue --noheader --jobs "$task" --format %T) || state=
    case $state in
        # Who has cancelled a task does not want it back.
        CANCELLED | COMPLETING) exit 75 ;;
        ?*) ! scontrol requeue "$task" || exit 0 ;;
    esac
    tries=$((tries - 1))
    sleep 2
done
exec scontrol requeue "$task"
