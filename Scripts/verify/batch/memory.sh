# shellcheck shell=bash
# 1,000 images in one run: the memory at the end is that after ten.

mkdir many
become_sample --count 1000 --steps 2 --shard 0/1 -o 'many/{index}.png' >/dev/null & pid=$!
early=
late=
while kill -0 $pid 2>/dev/null; do
    [ -e many/000009.png ] || { sleep 0.01; continue; }
    now=$(awk '/^VmRSS/ { print $2 }' /proc/$pid/status 2>/dev/null || :)
    [ -z "$now" ] || late=$now
    : "${early:=$now}"
    sleep 0.1
done
wait $pid
if [ -z "$early" ]; then
    bad "memory at the end is within 5 % of that after ten: it was never seen"
else
    figure "memory after 10 images $early kB, at the end of 1000 $late kB, $(ratio "$late" "$early") times as much"
    check "memory at the end is within 5 % of that after ten" at_least "$((early * 105))" "$((late * 100))"
fi
check "all images are there" [ "$(find many -name '0*.png' | wc -l)" = 1000 ]
