#!/bin/sh
# Checks a finished batch, and packs its images for evaluators such as FID.
#
# usage: Scripts/collect.sh [-o FILE.npz] [--dry-run] DIR
#
#   -o FILE     pack the images into this file: arr_0, uint8, (images, height, width, channels), the format of ADM's
#               evaluator, or (clips, frames, height, width, channels); needs numpy
#   --dry-run   print the command without running it
#   DIR         the directory of the images, with run.json and the manifests
#
# Lists missing images, files that differ from their manifest, and files listed twice with different contents. The exit
# code is 65 if there are any. PYTHON names the interpreter (default: python3).

set -eu

export NAME=collect.sh
case $0 in /*) HERE=${0%/*} ;; *) HERE=$PWD/${0%"${0##*/}"} ;; esac
# shellcheck source=/dev/null
. "$HERE/common.sh"

output=
dry_run=false
taken=0
read_options "o:output" "$@"
shift "$taken"
[ "${1:-}" != -- ] || shift
[ $# = 1 ] || fail 64 "give one directory; see collect.sh --help"
[ -n "$1" ] || fail 64 "'': give a directory; . is this one"
set -- "${PYTHON:-python3}" "$HERE/collect/pack.py" ${output:+"--npz=$output"} -- "$1"
if $dry_run; then
    print_command "$@"
    exit 0
fi
exec "$@"
