#!/bin/sh
# Samples a batch with GNU parallel, on this machine or on several, a job for each shard.
#
# usage: Scripts/parallel.sh [-d DIR] [-n N] [-j JOBS] [-S HOSTS] [--dry-run] -- OPTION...
#
#   -d DIR      where the images go, as {index}.png (default: samples); with -S, on a file system that all hosts have
#   -n N        how many shards (default: 8); more than there are jobs, so that fast hosts take more
#   -j JOBS     how many jobs at a time on each host (default: 1)
#   -S HOSTS    hosts as GNU parallel has them, separated by commas; ':' is this one (default: this one alone)
#   --dry-run   print the command and do not run it
#   OPTION...   says what is sampled, such as --batch list.csv, or --class all --count 50000 --seed 1
#
# The first error stops all. The same command again goes on where it stopped. OMNICACHE names the binary, which has to
# have the same path on all hosts.

set -eu

export NAME=parallel.sh
# shellcheck source=/dev/null
. "$(dirname "$0")/common.sh"

directory=samples
shards=8
jobs=1
hosts=
dry_run=false
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help) usage "$0"; exit 0 ;;
        -d) [ $# -ge 2 ] || fail 64 "-d needs a directory"; directory=$2; shift 2 ;;
        -n) [ $# -ge 2 ] || fail 64 "-n needs a number"; shards=$2; shift 2 ;;
        -j) [ $# -ge 2 ] || fail 64 "-j needs a number"; jobs=$2; shift 2 ;;
        -S) [ $# -ge 2 ] || fail 64 "-S needs hosts"; hosts=$2; shift 2 ;;
        --dry-run) dry_run=true; shift ;;
        --) break ;;
        *) fail 64 "unexpected argument $1; options of omnicache come after --" ;;
    esac
done
[ $# -ge 2 ] || fail 64 "say after -- what is sampled; see parallel.sh --help"
shift
positive -n "$shards"
positive -j "$jobs"
binary=$(find_binary)

# parallel's own placeholder {} stands for the shard; {index} and the like are none of its.
job="$(quote "$binary" sample --output "$directory/{index}.png" "$@")--shard {}/$shards"
set -- parallel --jobs "$jobs" --halt soon,fail=1 --line-buffer
[ -z "$hosts" ] || set -- "$@" --sshlogin "$hosts" --workdir "$PWD"
if $dry_run; then
    printf "seq 0 %s | " "$((shards - 1))"
    quote "$@" "$job"
    exit 0
fi
command -v parallel >/dev/null || fail 66 "GNU parallel is not installed"
mkdir -p -- "$directory" || fail 73 "$directory cannot be made"
seq 0 "$((shards - 1))" | "$@" "$job"
