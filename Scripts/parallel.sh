#!/bin/sh
# Samples a batch with GNU parallel, on this machine or on several, a job for each shard.
#
# usage: Scripts/parallel.sh [-d DIR] [-n N] [-j JOBS] [-S HOSTS] [--dry-run] -- OPTION...
#
#   -d DIR      where the images go, as {index}.png (default: samples); with -S, on a file system that all hosts have
#   -n N        how many shards (default: 8); more than there are jobs, so that fast hosts take more
#   -j JOBS     how many jobs at a time on each host (default: 1); with several, give each its part of the processors by
#               --threads among the options
#   -S HOSTS    hosts as GNU parallel has them, separated by commas; ':' is this one (default: this one alone)
#   --dry-run   print the command and do not run it
#   OPTION...   says what is sampled, such as --batch list.csv, or --class all --count 50000 --seed 1
#
# The first error stops all. The same command again goes on where it stopped. OMNICACHE names the binary, which has to
# have the same path on all hosts.

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

# parallel runs replacement strings such as {= perl =} wherever it finds them, also in the middle of a word. So it is
# given none: letters of base64, which a job turns into its script, to which parallel adds the number of the shard. Any
# shell of a host takes this line.
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
    # The first line is there to be read.
    printf ': %s --shard N/%s\n' "$quoted" "$shards"
    printf 'seq 0 %s | ' "$((shards - 1))"
    print_command "$@"
    exit 0
fi
command -v parallel >/dev/null || fail 66 "GNU parallel is not installed"
make_directory
seq 0 "$((shards - 1))" | "$@"
