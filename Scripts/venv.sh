#!/bin/sh
# Prints the path of a Python that has the packages of the given requirements files: that of .venv in the repository,
# which is made, and into which a list is installed, where that has not been done since the list last changed.
# Making it takes Python's venv module, which Debian has in python3-venv.
#
#     Scripts/venv.sh Scripts/requirements.txt Scripts/bench/requirements.txt
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
venv=$root/.venv
# An environment that was left half made has a Python, but no pip.
if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    rm -f "$venv"/*requirements.txt
    python3 -m venv "$venv" >/dev/null 2>&1 || {
        echo "venv.sh: python3 -m venv cannot make $venv; install python3-venv, or remove the folder if it is there" >&2
        exit 1
    }
fi
for list in "$@"; do
    # The copy's name tells which of several lists of one name it is.
    list=$(realpath "$list")
    known=$venv/$(printf '%s' "${list#"$root"/}" | tr / -)
    cmp -s "$list" "$known" && continue
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$list" >&2
    cp "$list" "$known"
done
printf '%s\n' "$venv/bin/python"
