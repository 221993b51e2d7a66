# shellcheck shell=bash
# One shard and three make the same directory; Scripts/batch.sh does it with processes.

whole
mkdir three
for shard in 0 1 2; do sample --shard $shard/3 -o 'three/{index}.png' >/dev/null; done
check "one shard and three make the same directory" same one three
"$SCRIPTS/batch.sh" -d processes -p 3 -- --class all --seed 1 --steps 4 --count 24 --quiet >/dev/null
check "three processes of batch.sh make it, too" same one processes
check "collect.sh finds the set complete" "$SCRIPTS/collect.sh" three
