# shellcheck shell=bash
# A real GNU parallel runs its script.

if install parallel parallel; then
    whole
    words=(--class all --seed 1 --steps 4 --count 24 --threads 1 --quiet)
    "$SCRIPTS/parallel.sh" -d spread -n 4 -j 2 -- "${words[@]}" >/dev/null
    check "GNU parallel $(parallel --version | sed -n '1s/.* //p') makes the set" same one spread
    "$SCRIPTS/parallel.sh" -d spread -n 4 -j 2 -- "${words[@]}" --log json >again
    check "the same command again makes nothing" [ "$(grep -c '"skipped":true' again)" = 24 ]
    check "collect.sh finds the set complete" "$SCRIPTS/collect.sh" spread
    status=$(code "$SCRIPTS/parallel.sh" -d spread -n 4 -- --class all --seed 2 --steps 4 --count 24)
    check "another batch in the same directory fails: $status" [ "$status" != 0 ]
else
    skipped "GNU parallel is not installed, and cannot be"
fi
