# shellcheck shell=bash
# A signal ends a batch with 75 and nothing half-written; the same command goes on.

whole
for signal in INT TERM; do
    mkdir $signal
    # Without env, a shell's background processes ignore SIGINT.
    env --default-signal=INT "$OMNICACHE" sample --class all --seed 1 --steps 4 --count 24 --quiet --shard 0/1 \
        -o "$signal/{index}.png" >/dev/null 2>error & pid=$!
    while [ -z "$(find $signal -name '0*.png')" ] && kill -0 $pid 2>/dev/null; do sleep 0.02; done
    kill -$signal $pid 2>/dev/null || :
    status=0
    wait $pid || status=$?
    check "SIG$signal ends a batch with 75" [ $status = 75 ]
    check "nothing is half-written" has_no_temporaries $signal
    sample --shard 0/1 -o "$signal/{index}.png" >/dev/null
    check "the rerun completes it" same one $signal
done
