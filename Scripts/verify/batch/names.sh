# shellcheck shell=bash
# Directories of any name: what shells, GNU parallel, Slurm and patterns read in a name is a letter of it for every script.

words=(--class all --seed 1 --steps 4 --count 24 --threads 1 --quiet)

whole
"$SCRIPTS/batch.sh" -d "${nasty:?}" -p 2 -- "${words[@]}" >/dev/null
check "batch.sh makes the set in a directory of nasty names" is_set_without_trace "${nasty:?}"
check "collect.sh finds it complete" "$SCRIPTS/collect.sh" -- "${nasty:?}"
check "compare reads it" "$OMNICACHE" compare one --quiet --no-timing -- "${nasty:?}" >/dev/null
rm -r -- "./${nasty%%/*}"

if install parallel parallel; then
    "$SCRIPTS/parallel.sh" -d "${nasty:?}" -n 3 -j 2 -- "${words[@]}" >/dev/null
    check "GNU parallel makes it, too" is_set_without_trace "${nasty:?}"
    rm -r -- "./${nasty%%/*}"
else
    skipped "GNU parallel is not installed, and cannot be"
fi
