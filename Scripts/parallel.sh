#!/bin/sh
# Samples a batch with GNU parallel, on this machine or on several, with a job for each shard.
#
# usage: Scripts/parallel.sh [-d DIR] [-n N] [-j JOBS] [-S HOSTS] [--dry-run] -- OPTION...
#
#   -d DIR      the directory of the images, {index}.png (default: samples); with -S, on a file system that hosts share
#   -n N        the number of shards (default: 8); have more shards than jobs, so that fast hosts get more of them
#   -j JOBS     the number of jobs at the same time on each host (default: 1); if there are several, divide the processors
#               among them with --threads
#   -S HOSTS    the hosts, separated by commas, as GNU parallel names them; ':' is this one (default: only this one)
#   --dry-run   print the command without running it
#   OPTION...   what to sample, such as --batch list.csv, or --class all --count 50000 --seed 1
#
# The first error stops all jobs. The same command again continues where it stopped. OMNICACHE names the binary, which
# must have the same path on all hosts.

set -eu

export NAME=parallel.sh
case $0 in /*) HERE=${0%/*} ;; *) HERE=$PWD/${0%"${0##*/}"} ;; esac
# shellcheck source=/dev/null
. "$HERE/common.sh"

directory=samples
shards=8
jobs=1
hosts=
dry_run=false
binary=
output=
quoted=
taken=0
read_options "d:directory n:shards j:jobs S:hosts" "$@"
shift "$taken"
needs_words "$@"
shift
positive -n "$shards"
positive -j "$jobs"
find_binary
place_in "$directory"

# parallel runs replacement strings such as {= perl =} wherever it finds them, even in the middle of a word. So the script
# is passed in base64, and each job decodes it; parallel adds the number of the shard. Any shell can run this line.
quote "$PWD"
work="mkdir -p $quoted && cd $quoted || exit 73"
quote "$binary" sample --output="$output" "$@"
script="$work
exec $quoted --shard \"\$1\"/$shards </dev/null"
encoded=$(printf %s "$script" | base64 | tr -d '\n')
set -- parallel --plain --jobs "$jobs" --halt soon,fail=1 --line-buffer
[ -z "$hosts" ] || set -- "$@" --sshlogin "$hosts"
set -- "$@" "printf %s $encoded | base64 -d | sh -s --"
if $dry_run; then
    # The first line is for reading only.
    printf ': %s --shard N/%s\n' "$quoted" "$shards"
    printf 'seq 0 %s | ' "$((shards - 1))"
    print_command "$@"
    exit 0
fi
command -v parallel >/dev/null || fail 66 "GNU parallel is not installed"
make_directory
seq 0 "$((shards - 1))" | "$@"
