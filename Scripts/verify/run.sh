#!/bin/sh
# Checks the built omnicache against PyTorch and diffusers: installs the pinned packages into .venv of the
# repository when their list has changed, then runs verify.py with the given arguments (--help lists them).
set -eu
scripts=$(cd "$(dirname "$0")/.." && pwd)
python=$("$scripts/venv.sh" "$scripts/requirements.txt")
exec "$python" "$scripts/verify/verify.py" "$@"
