#!/usr/bin/env bash
# Checks that nothing outside Sources/Models knows a model family, so that a new one is a folder and a line in the registry.
#
#   Scripts/seam.sh [ROOT]
#
# 1. Only the registry names the types of a family's folder (such as Sources/Models/DiT), and Latte, which is made of the
#    parts of DiT and PixArt.
# 2. Only Sources/Models names the kinds of layers.
# Comments and string literals do not count. Prints the lines that break a rule, and then exits with 1.
set -euo pipefail
cd "${1:-$(dirname "$0")/..}"

registry=Sources/Models/Network/NetworkFamily.swift
families=(Sources/Models/DiT Sources/Models/Latte Sources/Models/MMJiT Sources/Models/PixArt)
composed=Sources/Models/Latte
status=0

# Every line of the Swift files given as arguments, as FILE:NUMBER:TEXT, without comments and texts.
code() {
    [ $# -eq 0 ] || awk '{
        line = $0
        gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
        sub(/\/\/.*/, "", line)
        print FILENAME ":" FNR ":" line
    }' "$@"
}

# Says that a rule is broken by the lines of standard input, if there are any.
refuse() {
    local found
    found=$(cat)
    if [ -n "$found" ]; then
        printf '%s:\n%s\n' "$1" "$found" >&2
        status=1
    fi
}

for family in "${families[@]}"; do
    mapfile -t inside < <(find "$family" -name '*.swift')
    mapfile -t outside < <(find Sources -name '*.swift' ! -path "$family/*" ! -path "$composed/*" ! -path "$registry")
    types=$(code "${inside[@]}" | sed -n -E \
        's/^[^:]*:[0-9]*:((public|package|private|final|indirect) )*(struct|class|enum|protocol|actor|typealias) ([A-Za-z0-9_]+).*/\4/p' |
        sort -u | paste -sd '|')
    refuse "types of $family are named outside of it" < <(code "${outside[@]}" | grep -E ":.*\b($types)\b" || true)
done

kinds=$(grep -rhoE 'static let [a-zA-Z]+ = LayerKind\(' Sources/Models | sed -E 's/static let ([a-zA-Z]+) .*/\1/' | paste -sd '|')
mapfile -t others < <(find Sources -name '*.swift' ! -path 'Sources/Models/*')
refuse "kinds of layers are named outside of Sources/Models" \
    < <(code "${others[@]}" | grep -E "LayerKind(\(|\.($kinds)\b)|\.layer\(\.($kinds)\b" || true)

exit "$status"
