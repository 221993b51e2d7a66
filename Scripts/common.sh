# shellcheck shell=sh
# What the scripts beside this file share; they set NAME, the name that their messages begin with.

# Prints the comment at the top of a script.
usage() {
    sed -n '2,/^$/s/^# \{0,1\}//p' "$1"
}

# Ends the script with an exit code and a message.
fail() {
    code=$1
    shift
    printf '%s: %s\n' "${NAME:-omnicache}" "$*" >&2
    exit "$code"
}

# Prints the words of a command so that a shell reads them back as they are.
quote() {
    for word in "$@"; do
        case $word in
            '' | *[!A-Za-z0-9_./:=,+-]*)
                printf "'%s' " "$(printf '%s' "$word" | sed "s/'/'\\\\''/g")" ;;
            *) printf '%s ' "$word" ;;
        esac
    done
    printf '\n'
}

# Ends the script unless $2, the value of option $1, is a number from 1 to 99999.
positive() {
    case $2 in
        '' | *[!0-9]* | 0* | ??????*) fail 64 "$1 '$2': give a number from 1 on" ;;
    esac
}

# Prints the path of the binary: $OMNICACHE, else the one on the PATH, else the one that was built here.
find_binary() {
    if [ -n "${OMNICACHE:-}" ]; then
        printf '%s\n' "$OMNICACHE"
    elif command -v omnicache; then
        :
    else
        built=$(dirname "$0")/../.build/release/omnicache
        [ -x "$built" ] || fail 66 "omnicache is neither on the PATH nor built; run make, or set OMNICACHE"
        printf '%s\n' "$built"
    fi
}
