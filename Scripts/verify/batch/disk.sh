# shellcheck shell=bash
# Disks that are full, read-only, or gone: 73 or 74, nothing half-written, and the rerun completes.

are_whole() { local file; for file in "$@"; do cmp "one/$file" "full/$file" || return; done; }

whole
mkdir gone
become_sample --count 400 --shard 0/1 -o 'gone/{index}.png' >/dev/null 2>error & pid=$!
while [ -z "$(find gone -name '0*.png')" ] && kill -0 $pid 2>/dev/null; do sleep 0.02; done
mv gone elsewhere && rm -r elsewhere
status=0
wait $pid || status=$?
check "a directory that vanishes: $status, $(cat error)" is_73_or_74 $status
status=$(code sample --shard 0/1 -o 'gone/{index}.png')
check "a directory that is not there: $status, $(cat error)" [ "$status" = 73 ]
mkdir gone
sample --shard 0/1 -o 'gone/{index}.png' >/dev/null
check "the rerun in a new directory completes" same one gone

if [ "$(id -u)" != 0 ]; then
    skipped "full and read-only disks: only root can mount them"
elif ! { mkdir -p full && mount -t tmpfs -o size=128k tmpfs full; } 2>error; then
    skipped "full and read-only disks: $(cat error)"
else
    undo+=("umount '$WORK/full' 2>/dev/null")
    status=$(code sample --shard 0/1 -o 'full/{index}.png')
    check "a full disk: $status, $(cat error)" is_73_or_74 "$status"
    check "nothing half-written" has_no_temporaries full
    present=$(find full -name '0*.png' -printf '%f\n' | sort)
    check "some images are there" [ -n "$present" ]
    # shellcheck disable=SC2086
    check "they are whole" are_whole $present
    mount -o remount,ro full
    status=$(code sample --shard 0/1 -o 'full/{index}.png')
    check "a read-only directory: $status, $(cat error)" is_73_or_74 "$status"
    check "nothing has changed in it" [ "$present" = "$(find full -name '*.png' -printf '%f\n' | sort)" ]
    mount -o remount,rw,size=8m full
    sample --shard 0/1 -o 'full/{index}.png' >/dev/null
    check "the rerun completes" same one full
    check "collect.sh finds every file as it is listed" "$SCRIPTS/collect.sh" full
    umount full
fi
