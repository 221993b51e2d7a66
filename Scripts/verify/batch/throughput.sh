# shellcheck shell=bash
# A batch is no slower than one image after the other, and nearly as fast as two processes with a thread each.

rounds=${ROUNDS:-7}
batch() { sample --steps 20 --count 16 "$@" >/dev/null; }
# Runs one way of making the images, and sets took to its milliseconds.
measure() {
    local start
    rm -rf speed
    mkdir speed
    start=$(date +%s%N)
    case $1 in
        one) batch --in-flight 1 --threads 2 --manifest -o 'speed/{index}.png' ;;
        flight) batch --threads 2 --manifest -o 'speed/{index}.png' ;;
        two)
            batch --threads 1 --shard 0/2 -o 'speed/{index}.png' & local first=$!
            batch --threads 1 --shard 1/2 -o 'speed/{index}.png'
            wait $first ;;
    esac
    took=$((($(date +%s%N) - start) / 1000000))
}
if [ "$(nproc)" -lt 2 ]; then
    skipped "throughput: one processor"
else
    over_one=()
    of_two=()
    measure flight
    for ((round = 0; round < rounds; round++)); do
        # In turns forwards and backwards, so that what else the machine does hits all alike.
        order=(one flight two)
        [ $((round % 2)) = 0 ] || order=(two flight one)
        declare -A times=()
        for way in "${order[@]}"; do measure "$way"; times[$way]=$took; done
        over_one+=("$(ratio "${times[one]}" "${times[flight]}")")
        of_two+=("$(ratio "${times[two]}" "${times[flight]}")")
        figure "round $round: one by one ${times[one]} ms, in flight ${times[flight]} ms, two processes ${times[two]} ms"
    done
    figure "throughput in flight over that of one by one: median $(median "${over_one[@]}") of ${over_one[*]}"
    figure "throughput in flight over that of two processes: median $(median "${of_two[@]}") of ${of_two[*]}"
    check "a batch is at least as fast as one image after the other" at_least "$(median "${over_one[@]}")" 1
    check "a batch has at least 0.95 of two processes' throughput" at_least "$(median "${of_two[@]}")" 0.95
fi
