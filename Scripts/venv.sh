#!/bin/sh
# Prints the path of a Python with the packages of the given requirements files. It is in .venv of the repository, which
# is created if needed. A file is installed only if it has changed since. Creating .venv needs python3-venv.
#
#     Scripts/venv.sh Scripts/requirements.txt Scripts/bench/requirements.txt
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
venv=$root/.venv
# An incomplete environment has a Python, but no pip.
if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    rm -f "$venv"/*requirements.txt
    python3 -m venv "$venv" >/dev/null 2>&1 || {
        echo "venv.sh: python3 -m venv cannot make $venv; install python3-venv, or remove the folder if it is there" >&2
        exit 1
    }
fi
for list in "$@"; do
    # Files may have the same name, so the copy is named after the whole path.
    list=$(realpath "$list")
    known=$venv/$(printf '%s' "${list#"$root"/}" | tr / -)
    cmp -s "$list" "$known" && continue
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$list" >&2
    cp "$list" "$known"
done
printf '%s\n' "$venv/bin/python"
