#!/bin/bash
# Runs the tests under sanitizers, which report errors that tests cannot see: invalid memory accesses, leaks, data races.
#
# usage: Scripts/verify/sanitize.sh [address] [thread]
#
#   address   the tests, and 30 seconds of damaged files, under the address sanitizer, which also finds leaks
#   thread    the tests under the thread sanitizer
#
# Without an argument, runs both. Each builds everything in a folder of its own (.build-asan, .build-tsan). Exits with 1
# if there is a report that Tests/Sanitizers does not explain.

set -euo pipefail

case "${1:-}" in -h | --help)
    sed -n '2,/^$/s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
esac
cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || set -- address thread

# Optimised, since kernels take a hundred times longer otherwise, and that under a sanitizer.
flags=(-c release -Xswiftc -enable-testing)
settings=$PWD/Tests/Sanitizers

for sanitizer in "$@"; do
    case $sanitizer in
        address) build=(--sanitize=address --scratch-path .build-asan) ;;
        thread) build=(--sanitize=thread --scratch-path .build-tsan) ;;
        *)
            echo "sanitize.sh: unknown sanitizer '$sanitizer'; there are address and thread" >&2
            exit 64
            ;;
    esac
    # Freed memory is held back, but less of it than usual: the fuzzer takes its growth for a fault.
    export ASAN_OPTIONS="detect_leaks=1:exitcode=99:quarantine_size_mb=16:suppressions=$settings/address.txt"
    export LSAN_OPTIONS="suppressions=$settings/leaks.txt:print_suppressions=0"
    export TSAN_OPTIONS="suppressions=$settings/races.txt:exitcode=99"
    skipped=()
    while read -r test _; do
        case $test in '' | '#'*) ;; *) skipped+=(--skip "$test") ;; esac
    done <"$settings/skipped-$sanitizer.txt"
    swift build "${flags[@]}" "${build[@]}" --build-tests
    swift test "${flags[@]}" "${build[@]}" --skip-build "${skipped[@]}"
    if [ "$sanitizer" = address ]; then
        .build-asan/release/fuzz-readers --unlimited --seconds 30
    fi
done
