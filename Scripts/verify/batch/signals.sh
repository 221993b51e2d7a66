# shellcheck shell=bash
# A signal ends a batch with 75 and nothing half-written; the same command goes on.

whole
for signal in INT TERM; do
    mkdir $signal
    # A shell's background processes ignore SIGINT, until the program says that it wants to know.
    become_sample --shard 0/1 -o "$signal/{index}.png" >/dev/null 2>error & pid=$!
    while [ -z "$(find $signal -name '0*.png')" ] && kill -0 $pid 2>/dev/null; do sleep 0.02; done
    kill -$signal $pid 2>/dev/null || :
    status=0
    wait $pid || status=$?
    check "SIG$signal ends a batch with 75" [ $status = 75 ]
    check "nothing is half-written" has_no_temporaries $signal
    sample --shard 0/1 -o "$signal/{index}.png" >/dev/null
    check "the rerun completes it" same one $signal
done

# Whether the process $1 ends with 75.
ends_with_75() {
    local status=0
    wait "$1" || status=$?
    [ $status = 75 ]
}

"$SCRIPTS/batch.sh" -d both -p 2 -- --class all --seed 1 --steps 4 --count 24 --quiet >/dev/null 2>error & pid=$!
while [ -z "$(find both -name '0*.png' 2>/dev/null)" ] && kill -0 $pid 2>/dev/null; do sleep 0.02; done
kill -TERM $pid 2>/dev/null || :
check "SIGTERM ends both processes of batch.sh with 75" ends_with_75 $pid
check "nothing is half-written by either" has_no_temporaries both
check "there is work left" [ "$(find both -name '0*.png' | wc -l)" -lt 24 ]
"$SCRIPTS/batch.sh" -d both -p 2 -- --class all --seed 1 --steps 4 --count 24 --quiet >/dev/null
check "the same command completes it" same one both

# In the place of the binary: the first of a hundred ends the script while that starts the others.
mkdir begun
cat >begins <<'PROGRAM'
#!/bin/sh
trap 'exit 75' TERM
echo >"begun/$$"
! mkdir first 2>/dev/null || kill -TERM "$PPID"
sleep 3 & wait
PROGRAM
chmod +x begins
OMNICACHE=$PWD/begins "$SCRIPTS/batch.sh" -d . -p 100 -- --seed 1 >/dev/null 2>error & pid=$!
check "SIGTERM while processes are started ends batch.sh with 75" ends_with_75 $pid
check "no more of them are started, of 100 only $(find begun -type f | wc -l)" [ "$(find begun -type f | wc -l)" -lt 100 ]
