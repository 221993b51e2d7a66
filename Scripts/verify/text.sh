#!/bin/sh
# Checks tokenizers and text encoders against SentencePiece and transformers: installs the pinned packages into .venv of
# the repository when their list has changed, then runs text.py with the given arguments (--help lists them).
set -eu
scripts=$(cd "$(dirname "$0")/.." && pwd)
python=$("$scripts/venv.sh" "$scripts/requirements.txt")
exec "$python" "$scripts/verify/text.py" "$@"
