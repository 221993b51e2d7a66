#!/bin/sh
# Scores a text-to-image model of scenes, in full and at budgets: how much of its captions is in its pictures.
#
#     Scripts/score/score.sh [--binary PROGRAM] [--model DIR] [--out FOLDER] [--count N] [--budgets LIST] [--lists LIST]
#
# Draws N captions (100) of every list with `omnicache sample`, at budget 1 and at each of LIST (0.5,0.33,0.2), and judges
# the pictures. FOLDER (score) keeps lists, pictures and results; pictures that are there are not drawn again. Needs the
# Debian packages that Scripts/train/scenes/README.md names, and downloads PyTorch from PyPI.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
binary=omnicache model='' out=score count=100 budgets=0.5,0.33,0.2 only=''
while [ $# -gt 0 ]; do
    case $1 in
    --binary) binary=$2 ;;
    --model) model=$2 ;;
    --out) out=$2 ;;
    --count) count=$2 ;;
    --budgets) budgets=$2 ;;
    --lists) only=$2 ;;
    *)
        sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
        exit 64
        ;;
    esac
    shift 2
done
python=${PYTHON:-$("$root/Scripts/venv.sh" "$root/Scripts/train/requirements.txt")}
[ -f "$out/data/scenes.npz" ] || "$python" "$root/Scripts/train/scenes/prepare.py" "$out/data"
[ -f "$out/lists/objects.jsonl" ] ||
    "$python" "$root/Scripts/score/score.py" lists "$out/lists" --data "$out/data" --count "$count"
for budget in 1 $(echo "$budgets" | tr , ' '); do
    for list in "$out"/lists/*.txt; do
        name=$(basename "$list" .txt)
        case ",$only," in
        ,, | *",$name,"*) ;;
        *) continue ;;
        esac
        mkdir -p "$out/pictures/$budget/$name"
        "$binary" sample ${model:+--model "$model"} --prompt-file "$list" --count "$count" --seed 1000000 \
            --budget "$budget" --quiet --output "$out/pictures/$budget/$name/{index}.png" >/dev/null
    done
    echo "budget $budget"
    ceiling=''
    [ "$budget" = 1 ] || ceiling=--no-ceiling
    "$python" "$root/Scripts/score/score.py" judge "$out/lists" --data "$out/data" --only "$only" $ceiling \
        --images "$out/pictures/$budget" --json "$out/budget-$budget.json"
done
