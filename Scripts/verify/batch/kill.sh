# shellcheck shell=bash
# kill -9 at ten random moments, in one of three shards each time; then the rest is made.

mkdir calm killed
images=(--count 240 --steps 8)
sample "${images[@]}" --shard 0/1 -o 'calm/{index}.png' >/dev/null
# What a file is: made once more, it would be another.
complete() { find killed -name '0*.png' -printf '%f %i %T@\n' | sort; }
: >before
: >events
kills=0
attempts=0
while [ $kills -lt 10 ] && [ $attempts -lt 60 ]; do
    shard=$((attempts % 3))
    attempts=$((attempts + 1))
    become_sample "${images[@]}" --shard $shard/3 -o 'killed/{index}.png' --log json >>events & pid=$!
    sleep "0.$((RANDOM % 10))$((RANDOM % 10))"
    kill -9 $pid 2>/dev/null || :
    status=0
    wait $pid 2>/dev/null || status=$?
    [ $status != 137 ] || kills=$((kills + 1))
    complete >after
    [ -z "$(comm -23 before after)" ] || bad "after kill $kills, an image that was complete is gone or made again"
    mv after before
done
check "ten runs were killed at work, $(wc -l <before) of 240 images being there at the end" [ $kills = 10 ]
for shard in 0 1 2; do sample "${images[@]}" --shard $shard/3 -o 'killed/{index}.png' --log json >>events; done
complete >after
check "killed runs and what was made after them are the same directory" same calm killed
check "no image that was complete was made again" [ -z "$(comm -23 before after)" ]
check "no image was told of twice" [ -z "$(grep -v '"skipped"' events | grep -o '"file":"[^"]*"' | sort | uniq -d)" ]
check "no temporary file is left" has_no_temporaries killed
check "the manifests have a line for each image" [ "$(cat killed/manifest-?-of-3.jsonl | wc -l)" = 240 ]
check "collect.sh finds the set complete" "$SCRIPTS/collect.sh" killed
