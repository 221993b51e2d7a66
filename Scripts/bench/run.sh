#!/bin/sh
# Times the built omnicache against PyTorch, ONNX Runtime and OpenVINO: installs the pinned packages into .venv of
# the repository when their lists have changed, then runs bench.py with the given arguments (--help lists them).
set -eu
scripts=$(cd "$(dirname "$0")/.." && pwd)
python=$("$scripts/venv.sh" "$scripts/requirements.txt" "$scripts/bench/requirements.txt")
exec "$python" "$scripts/bench/bench.py" "$@"
