#!/bin/sh
# Checks a finished batch, and packs its images for the evaluators of the field.
#
# usage: Scripts/collect.sh [-o FILE.npz] [--dry-run] DIR
#
#   -o FILE     pack the images into this file: arr_0, uint8, (images, height, width, channels), as the evaluators
#               that follow ADM's read them; needs numpy
#   --dry-run   print the command and do not run it
#   DIR         where the images are, with run.json and the manifests
#
# Says which images are missing, which files are not as their manifest says, and which are listed twice with different
# contents; exits 65 if there is any. PYTHON names the interpreter (default: python3).

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
