#!/bin/bash
# Tests batches with the real programs. Prints "ok", "FAILED" or "skipped" for each claim, and figures; exits with 1 if a
# claim failed.
#
# usage: Scripts/verify/batch.sh --binary OMNICACHE [--only NAME,...]
#
#   --only NAME,...   of shards, kill, twice, disk, signals, compare, collect, names, parallel, kubernetes, slurm,
#                     throughput and memory, each in a script of that name in batch/ (default: all)
#
# As root, installs slurm-wlm and parallel if they are missing, and mounts a small tmpfs. The Python packages that check
# packed images and the Kubernetes job go into .venv of the repository. If something is missing, its checks are skipped
# with the reason.

set -euo pipefail

if [ "${1:-}" != --binary ] || [ $# -lt 2 ]; then
    sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
    exit 64
fi
OMNICACHE=$(realpath "$2")
[ "${3:---only}" = --only ] || { echo "batch.sh: unknown option $3" >&2; exit 64; }
names=shards,kill,twice,disk,signals,compare,collect,names,parallel,kubernetes,slurm,throughput,memory
names=${4:-$names}
SCRIPTS=$(cd "$(dirname "$0")/.." && pwd)
: "${OMNICACHE_MODELS:=$SCRIPTS/../Models}"
export OMNICACHE OMNICACHE_MODELS SCRIPTS WORK
WORK=$(mktemp -d)
cd "$WORK"

# What a part has to undo at the end, whatever happens: one command a line.
undo=()
is_through=false
finish() {
    local command
    $is_through || echo "FAILED: $name has broken off"
    for command in "${undo[@]}"; do eval "$command" || :; done
    rm -rf "$WORK"
}
name=preparing
trap finish EXIT

failures=0
ok() { echo "ok: $*"; }
skipped() { echo "skipped: $*"; }
bad() { echo "FAILED: $*"; failures=$((failures + 1)); }
figure() { echo "figure: $*"; }
# Runs a test and says whether what $1 claims holds: check CLAIM COMMAND...
check() { local claim=$1; shift; if "$@"; then ok "$claim"; else bad "$claim"; fi; }

# The images alone: the seconds in a manifest differ from run to run.
same() { diff -r --exclude='manifest-*' --exclude='*.log' "$1" "$2"; }
are_filled() { local file; for file in "$@"; do [ -s "$file" ] || return; done; }
has_no_temporaries() { [ -z "$(find "$1" -name '.*.tmp')" ]; }
# The same 24 images everywhere, unless told otherwise. In the background, the shell has to become the process: then $!
# is the one that is killed, or whose memory is looked at.
become_sample() { exec "$OMNICACHE" sample --class all --seed 1 --steps 4 --count 24 --quiet "$@"; }
sample() (become_sample "$@")
# The exit code of a command that is expected to fail; its messages go to the file error.
code() { local status=0; "$@" >/dev/null 2>error || status=$?; echo "$status"; }
is_73_or_74() { [ "$1" = 73 ] || [ "$1" = 74 ]; }
# Makes the directory `one`, what all others are compared with, in one process and one shard.
whole() { [ -d one ] || { mkdir one; sample --shard 0/1 -o 'one/{index}.png' >/dev/null; }; }
# Names that a script has to take as they are; each is a folder in the one before it.
# shellcheck disable=SC2016
nasty_names=(
    '-dash' '--force' 'a b ' "it's" '"q"' 'back\slash' '$(touch pwned)' '`touch pwned`' ';touch pwned' '${HOME}'
    '{index}' '{}' '{#}' '{%}' '{//}' '}{' '{{' '{= system(q(touch pwned)) =}' $'\xc2\xaf<system(q(touch pwned))\xc2\xaf>' ':::'
    '%j' '%A_%a' '%%' $'\n#SBATCH --array=0-9999' $'dos\r\nline' $'\e[31m' '*' '[a-z]' '~' $'e\xcc\x81' $'last\n'
)
nasty=$(IFS=/; printf '%s.' "${nasty_names[*]}")
nasty=${nasty%.}
# Whether the directory $1 holds the whole set, and nothing in its name was run.
is_set_without_trace() { same one "./$1" && [ -z "$(find . -name pwned)" ]; }
# The middle of some numbers, and their ratio to others with three decimals.
median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.3f", a / b }'; }
at_least() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a >= b) }'; }

# Makes sure of a program by Debian's package of it.
install() {
    command -v "$1" >/dev/null && return
    [ "$(id -u)" = 0 ] || return
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y "$2" >/dev/null
}

# Prints the path of a Python that has the packages of both lists.
python() {
    "$SCRIPTS/venv.sh" "$SCRIPTS/collect/requirements.txt" "$SCRIPTS/verify/batch/requirements.txt"
}

for name in ${names//,/ }; do
    part=$SCRIPTS/verify/batch/$name.sh
    [ -f "$part" ] || { echo "batch.sh: there is no part $name" >&2; exit 64; }
    echo "== $name"
    # shellcheck source=/dev/null
    . "$part"
done
is_through=true
[ "$failures" = 0 ] || { echo "$failures failed"; exit 1; }
