# shellcheck shell=bash
# Directories of any name: what shells, GNU parallel, Slurm and patterns read in a name is a letter of it for every script.

# Names that a script has to take as they are; each is a folder in the one before it.
# shellcheck disable=SC2016
nasty_names=(
    '-dash' '--force' 'a b ' "it's" '"q"' 'back\slash' '$(touch pwned)' '`touch pwned`' ';touch pwned' '${HOME}'
    '{index}' '{}' '{#}' '{%}' '{//}' '}{' '{{' '{= system(q(touch pwned)) =}' $'\xc2\xaf<system(q(touch pwned))\xc2\xaf>' ':::'
    '%j' '%A_%a' '%%' $'\n#SBATCH --array=0-9999' $'dos\r\nline' $'\e[31m' '*' '[a-z]' '~' $'e\xcc\x81' $'last\n'
)
nasty=$(IFS=/; printf '%s.' "${nasty_names[*]}")
nasty=${nasty%.}
words=(--class all --seed 1 --steps 4 --count 24 --threads 1 --quiet)
# Whether the directory $1 holds the whole set, and nothing in its name was run.
is_set_without_trace() { same one "./$1" && [ -z "$(find . -name pwned)" ]; }

whole
"$SCRIPTS/batch.sh" -d "$nasty" -p 2 -- "${words[@]}" >/dev/null
check "batch.sh makes the set in a directory of nasty names" is_set_without_trace "$nasty"
check "collect.sh finds it complete" "$SCRIPTS/collect.sh" -- "$nasty"
check "compare reads it" "$OMNICACHE" compare one --quiet --no-timing -- "$nasty" >/dev/null
rm -r -- "./${nasty%%/*}"

if install parallel parallel; then
    "$SCRIPTS/parallel.sh" -d "$nasty" -n 3 -j 2 -- "${words[@]}" >/dev/null
    check "GNU parallel makes it, too" is_set_without_trace "$nasty"
    rm -r -- "./${nasty%%/*}"
else
    skipped "GNU parallel is not installed, and cannot be"
fi
