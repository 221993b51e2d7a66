#!/bin/sh
# Checks the built omnicache against PyTorch and diffusers: installs the pinned packages into .venv of the
# repository when their list has changed, then runs verify.py with the given arguments (--help lists them).
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
venv=$root/.venv
wanted=$root/Scripts/requirements.txt
if ! cmp -s "$wanted" "$venv/requirements.txt"; then
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$wanted" >&2
    cp "$wanted" "$venv/requirements.txt"
fi
exec "$venv/bin/python" "$root/Scripts/verify/verify.py" "$@"
