# shellcheck shell=sh
# Functions of the scripts in this folder. The scripts set NAME, which their messages begin with, and HERE, their folder.
#
# Names may hold anything but NUL. Functions return values in variables, since $(...) removes newlines at the end.

# Prints the comment at the top of a script.
usage() {
    sed -n '2,/^$/s/^# \{0,1\}//p' -- "$1"
}

# Ends the script with exit code $1 and a message.
fail() {
    code=$1
    shift
    # Always one line, even if a name has line breaks.
    printf '%s: %s\n' "${NAME:-omnicache}" "$(printf %s "$*" | tr '[:cntrl:]' '?')" >&2
    exit "$code"
}

# Sets replaced to $1 with every $2 in it replaced by $3.
replace() {
    rest=$1
    replaced=
    while :; do
        case $rest in
            *"$2"*)
                replaced=$replaced${rest%%"$2"*}$3
                rest=${rest#*"$2"} ;;
            *) break ;;
        esac
    done
    replaced=$replaced$rest
}

newline='
'
carriage_return=$(printf '\r')
HERE=${HERE%/}

# Sets quoted to the words of a command so that a shell reads them back unchanged. No line of it ends with a carriage
# return, which sbatch refuses.
quote() {
    quoted=
    for word in "$@"; do
        case $word in
            '' | *[!A-Za-z0-9_./:,+-]*)
                replace "$word" "'" "'\\''"
                # shellcheck disable=SC2016
                replace "$replaced" "$carriage_return" \''"$(printf "\r")"'\'
                word="'$replaced'" ;;
        esac
        quoted="$quoted${quoted:+ }$word"
    done
}

# Prints the words of a command so that a shell reads them back unchanged.
print_command() {
    quote "$@"
    printf '%s\n' "$quoted"
}

# Ends the script unless $2, the value of option $1, is a number from 1 to 99999.
positive() {
    case $2 in
        '' | *[!0-9]* | 0* | ??????*) fail 64 "$1 '$2': give a positive number" ;;
    esac
}

# Reads options up to the first word that is not one. $1 lists options with a value: "d:directory p:processes" stores
# the value of -d in the variable directory. Sets dry_run, and sets taken to the number of words read.
# shellcheck disable=SC2034
read_options() {
    options=$1
    shift
    taken=0
    dry_run=false
    while [ $# -gt 0 ]; do
        case $1 in
            -h | --help) usage "$0"; exit 0 ;;
            --dry-run) dry_run=true ;;
            -- | [!-]* | '') return ;;
            *)
                variable=
                for option in $options; do
                    [ "$1" != "-${option%%:*}" ] || variable=${option#*:}
                done
                [ -n "$variable" ] || fail 64 "unknown option $1; see ${NAME:-} --help"
                [ $# -ge 2 ] || fail 64 "$1 needs a value; see ${NAME:-} --help"
                eval "$variable=\$2"
                taken=$((taken + 1))
                shift ;;
        esac
        taken=$((taken + 1))
        shift
    done
}

# Ends the script unless the words begin with -- and there are more.
needs_words() {
    [ "${1:---}" = -- ] || fail 64 "unexpected argument $1; give the options of omnicache after --"
    [ $# -ge 2 ] || fail 64 "give after -- what to sample; see ${NAME:-} --help"
}

# Waits for the child $1 and sets status to its exit code. If a trap interrupts the wait, it waits again.
# shellcheck disable=SC2034
await() {
    status=0
    wait "$1" || status=$?
    while kill -0 "$1" 2>/dev/null; do
        status=0
        wait "$1" || status=$?
    done
}

# Sets directory to $1, in a form that is never mistaken for an option, and output to the pattern of the images in it.
# shellcheck disable=SC2034
place_in() {
    [ -n "$1" ] || fail 64 "-d '': give a directory; . is this one"
    directory=$1
    case $directory in -*) directory=./$directory ;; esac
    replace "$directory" '{' '{{'
    replace "$replaced" '}' '}}'
    output="$replaced/{index}.png"
}

# Creates the directory if needed.
make_directory() {
    mkdir -p "${directory:?}" 2>/dev/null || fail 73 "cannot create $directory; choose another directory"
}

# Sets binary to the path of the binary: $OMNICACHE, or omnicache on the PATH, or the one that was built here.
find_binary() {
    if [ -n "${OMNICACHE:-}" ]; then
        binary=$OMNICACHE
    elif binary=$(command -v omnicache && printf .); then
        binary=${binary%"$newline".}
    else
        binary=${HERE:?}/../.build/release/omnicache
        [ -x "$binary" ] || fail 66 "omnicache is neither on the PATH nor built; run make, or set OMNICACHE"
    fi
    case $binary in -*) binary=./$binary ;; esac
}
