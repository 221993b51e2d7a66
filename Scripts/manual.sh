#!/bin/sh
# Prints the manual page of omnicache, made of the help texts of a binary.
#
# usage: Scripts/manual.sh BINARY >omnicache.1
#
# Read it with: man -l omnicache.1

set -eu

binary=${1:?say which binary: Scripts/manual.sh BINARY}
version=$("$binary" --version)
commands=$("$binary" --help | sed -n '/^SUBCOMMANDS:/,/^$/s/^  \([a-z]\{1,\}\).*/\1/p')

# The help of a command, or of omnicache itself. Wide enough that every text is one line.
help() {
    COLUMNS=10000 "$binary" help "$@"
}

# Turns a help text into roff. Examples begin with the program's name; options and arguments are indented by two columns,
# their texts by 26, or by 8 where more is said on a line of its own.
roff() {
    awk '
        function escape(text) {
            gsub(/\\/, "\\e", text)
            gsub(/-/, "\\-", text)
            if (text ~ /^[.\047]/) text = "\\&" text
            return text
        }
        /^OVERVIEW: /        { print escape(substr($0, 11)); print ".PP"; next }
        /^USAGE: /           { print ".PP"; print "Usage:"; print ".B " escape(substr($0, 8)); next }
        /^SUBCOMMANDS:$/     { exit }
        /^[A-Z][A-Z ]*:$/    { print ".PP"; print ".B " substr($0, 1, length($0) - 1); next }
        /^ *$/               { if (example) print ".fi"; example = 0; paragraph = 1; next }
        /^omnicache /        { if (!example) print ".PP\n.nf"; example = 1; paragraph = 0; print escape($0); next }
        /^  [^ ]/            {
            end = match(substr($0, 3), /   */)
            label = end ? substr($0, 3, end - 1) : substr($0, 3)
            print ".TP"
            print ".B " escape(label)
            if (end) { text = substr($0, 3 + end); sub(/^ */, "", text); print escape(text) }
            paragraph = 0
            next
        }
        {
            if (/^        [^ ]/) print ".br"
            else if (paragraph && !/^ /) print ".PP"
            paragraph = 0
            sub(/^ */, "")
            print escape($0)
        }'
}

abstract=$("$binary" --help | sed -n 's/^OVERVIEW: \(.*\)\.$/\1/p')
cat <<END
.TH OMNICACHE 1 "" "$version" "User Commands"
.SH NAME
omnicache \\- $abstract
.SH SYNOPSIS
.B omnicache
.RI [ command ]
.RI [ option ...]
.SH DESCRIPTION
END
help | roff
echo .SH COMMANDS
for command in $commands; do
    echo ".SS omnicache $command"
    # shellcheck disable=SC2086
    help $command | roff
done
cat <<END
.SH ENVIRONMENT
.TP
.B OMNICACHE_MODELS
The folder of the installed models.
.TP
.B XDG_CACHE_HOME
Calibrations are saved in its folder omnicache. Default: ~/.cache
.TP
.B OPENBLAS_CORETYPE
The processor whose kernels OpenBLAS uses. Default: chosen for this one.
END
