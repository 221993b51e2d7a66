#!/bin/bash
# Proves what is said of batches, with the real programs: shards, kill -9, signals, full and read-only disks, two
# processes with one shard, memory, throughput, GNU parallel, Slurm. Prints "ok" or "skipped" for each, and its figures.
#
# usage: Scripts/verify/batch.sh --binary OMNICACHE [--only NAME,...]
#
# As root, installs slurm-wlm and parallel if they are missing; what cannot be had is skipped and said so.

# `ok` never fails, so that "test && ok || bad" is a choice; the variables of some loops only count.
# shellcheck disable=SC2015,SC2034

set -euo pipefail

[ "${1:-}" = --binary ] && [ $# -ge 2 ] || { sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; exit 64; }
binary=$(realpath "$2")
only=${4:-}
scripts=$(cd "$(dirname "$0")/.." && pwd)
: "${OMNICACHE_MODELS:=$scripts/../Models}"
export OMNICACHE=$binary OMNICACHE_MODELS
work=$(mktemp -d)
cd "$work"
mounted=
finish() {
    [ -z "$mounted" ] || umount "$mounted"
    for file in "$work"/slurm/*.pid; do [ ! -f "$file" ] || kill "$(cat "$file")" 2>/dev/null || :; done
    rm -rf "$work"
}
trap finish EXIT

failures=0
ok() { echo "ok: $*"; }
skipped() { echo "skipped: $*"; }
bad() { echo "FAILED: $*"; failures=$((failures + 1)); }
# The images alone: the seconds in a manifest differ from run to run.
same() { diff -r --exclude='manifest-*' --exclude='*.log' "$1" "$2"; }
sample() { "$binary" sample --class all --seed 1 --steps 4 "$@"; }
code() { local status=0; "$@" >/dev/null 2>error || status=$?; echo "$status"; }

verify_shards() {
    mkdir one three
    sample --count 24 --shard 0/1 -o 'one/{index}.png' -q >/dev/null
    for shard in 0 1 2; do sample --count 24 --shard $shard/3 -o 'three/{index}.png' -q >/dev/null; done
    same one three && ok "one shard and three make the same directory" || bad "shards"
    "$scripts/collect.sh" three
}

verify_kill() {
    mkdir -p one killed
    sample --count 24 --shard 0/1 -o 'one/{index}.png' -q >/dev/null
    : >events
    local kills=0 before
    while [ $kills -lt 10 ]; do
        sample --count 24 --shard 0/1 -o 'killed/{index}.png' --steps 4 -q --log json >>events &
        local pid=$!
        sleep "0.$((RANDOM % 4))$((RANDOM % 10))"
        kill -9 $pid 2>/dev/null || :
        wait $pid 2>/dev/null || :
        kills=$((kills + 1))
    done
    # The manifest of what is complete now: none of it may be made again.
    before=$(find killed -name '0*.png' -printf '%f %i %T@\n' | sort)
    sample --count 24 --shard 0/1 -o 'killed/{index}.png' -q --log json >>events
    same one killed && ok "ten kill -9 and a last run make the same directory" || bad "kill -9"
    [ -z "$(comm -23 <(echo "$before") <(find killed -name '0*.png' -printf '%f %i %T@\n' | sort))" ] \
        && ok "no image that was complete was made again" || bad "an image was made twice"
    local twice
    twice=$(grep -v skipped events | grep -o '"file":"[^"]*"' | sort | uniq -d)
    [ -z "$twice" ] && ok "no image was told of twice" || bad "made twice: $twice"
    [ -z "$(find killed -name '.*.tmp')" ] && ok "no temporary file is left" || bad "temporaries are left"
    [ "$(wc -l <killed/manifest-0-of-1.jsonl)" = 24 ] && ok "the manifest has a line for each" || bad "manifest"
}

verify_disk() {
    local status
    mkdir gone
    sample --count 200 --shard 0/1 -o 'gone/{index}.png' -q >/dev/null 2>error &
    local pid=$!
    sleep 1
    mv gone elsewhere && rm -r elsewhere
    status=0; wait $pid || status=$?
    case $status in 73 | 74) ok "a directory that vanishes: $status" ;; *) bad "vanished: $status" ;; esac
    [ "$(id -u)" = 0 ] || { skipped "full and read-only disks need root to mount"; return; }
    mkdir full
    mount -t tmpfs -o size=128k tmpfs full 2>/dev/null || { skipped "no tmpfs can be mounted here"; return; }
    mounted=$work/full
    status=$(code sample --count 24 --shard 0/1 -o 'full/{index}.png' -q)
    case $status in 73 | 74) ok "a full disk: $status, $(cat error)" ;; *) bad "full disk: $status" ;; esac
    [ -z "$(find full -name '.*.tmp')" ] && ok "nothing half-written" || bad "temporaries on the full disk"
    mount -o remount,size=8m full
    sample --count 24 --shard 0/1 -o 'full/{index}.png' -q >/dev/null
    same one full && ok "the rerun completes" || bad "full disk, rerun"
    mount -o remount,ro full
    rm -f full/000003.png 2>/dev/null || :
    status=$(code sample --count 25 --seed 2 -o 'full/x{index}.png' -q)
    case $status in 73 | 74) ok "a read-only directory: $status" ;; *) bad "read-only: $status" ;; esac
    umount full
    mounted=
}

verify_twice() {
    mkdir -p one twice
    sample --count 24 --shard 0/1 -o 'one/{index}.png' -q >/dev/null
    sample --count 24 --shard 0/1 -o 'twice/{index}.png' -q >/dev/null 2>error.1 & local first=$!
    sample --count 24 --shard 0/1 -o 'twice/{index}.png' -q >/dev/null 2>error.2 & local second=$!
    local a=0 b=0
    wait $first || a=$?
    wait $second || b=$?
    [ $a = 0 ] && [ $b = 0 ] && same one twice && [ "$(wc -l <twice/manifest-0-of-1.jsonl)" = 24 ] \
        && ok "two processes with one shard: a complete set" || bad "two with one shard: $a, $b: $(cat error.1 error.2)"
}

verify_memory() {
    mkdir many
    sample --count 1000 --steps 2 --shard 0/1 -o 'many/{index}.png' -q >/dev/null & local pid=$!
    local early='' late=''
    while kill -0 $pid 2>/dev/null; do
        local made now
        made=$(find many -name '0*.png' | wc -l)
        now=$(awk '/^VmRSS/ { print $2 }' /proc/$pid/status 2>/dev/null || :)
        [ -z "$now" ] || late=$now
        [ -n "$early" ] || [ "$made" -lt 10 ] || early=$now
        sleep 0.2
    done
    wait $pid
    echo "figure: memory after 10 images $early kB, after 1000 $late kB"
    awk -v a="$early" -v b="$late" 'BEGIN { exit !(b <= 1.05 * a) }' && ok "memory stays" || bad "memory grows"
}

verify_throughput() {
    local round k best_one=0 best_flight=0 best_two=0
    for round in 1 2 3; do
        for k in one flight two; do
            rm -rf speed; mkdir speed
            local start end
            start=$(date +%s%N)
            case $k in
                one) sample --count 12 --steps 20 --in-flight 1 -t 2 -o 'speed/{index}.png' -q >/dev/null ;;
                flight) sample --count 12 --steps 20 --in-flight 2 -t 2 -o 'speed/{index}.png' -q >/dev/null ;;
                two) sample --count 12 --steps 20 --shard 0/2 -t 1 -o 'speed/{index}.png' -q >/dev/null & \
                    sample --count 12 --steps 20 --shard 1/2 -t 1 -o 'speed/{index}.png' -q >/dev/null; wait ;;
            esac
            end=$(date +%s%N)
            local var=best_$k took=$(((end - start) / 1000000))
            if [ "${!var}" = 0 ] || [ $took -lt "${!var}" ]; then printf -v "$var" %s $took; fi
        done
    done
    echo "figure: 12 images: one after the other $best_one ms, two in flight $best_flight ms, two processes $best_two ms"
    [ $best_flight -le $best_one ] && ok "in flight is at least as fast as one after the other" || bad "in flight is slower"
    [ $((best_flight * 95)) -le $((best_two * 100)) ] && ok "at least 0.95 of two processes" || bad "below 0.95 of two processes"
}

install() {
    command -v "$1" >/dev/null && return
    [ "$(id -u)" = 0 ] && { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y "$2" >/dev/null; }
}

verify_parallel() {
    install parallel parallel || { skipped "GNU parallel is not installed"; return; }
    mkdir -p one
    sample --count 24 --shard 0/1 -o 'one/{index}.png' -q >/dev/null
    "$scripts/parallel.sh" -d par -n 4 -j 2 -- --class all --count 24 --seed 1 --steps 4 -t 1 -q >/dev/null
    same one par && ok "GNU parallel makes the set" || bad "GNU parallel"
    "$scripts/collect.sh" par
}

# One node, this one, without accounting, cgroups or authentication by others than munge.
start_slurm() {
    local host key=$work/slurm/munge.key
    host=$(hostname -s)
    mkdir -p slurm/state slurm/spool slurm/munge
    dd if=/dev/urandom of="$key" bs=128 count=8 status=none
    chmod 400 "$key"
    chmod 755 "$work" slurm slurm/munge
    chown -R munge: slurm/munge "$key"
    chown munge: slurm
    setpriv --reuid munge --regid munge --clear-groups munged --foreground --force \
        --key-file="$key" --socket="$work/slurm/munge/socket" --pid-file="$work/slurm/munge/pid" \
        --log-file="$work/slurm/munge/log" --seed-file="$work/slurm/munge/seed" >slurm/munged.out 2>&1 &
    echo $! >slurm/munged.pid
    cat >slurm/slurm.conf <<CONF
ClusterName=verify
SlurmctldHost=$host(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket=$work/slurm/munge/socket
CredType=cred/munge
SlurmUser=root
SlurmctldPort=26817
SlurmdPort=26818
StateSaveLocation=$work/slurm/state
SlurmdSpoolDir=$work/slurm/spool
SlurmctldPidFile=$work/slurm/ctld
SlurmdPidFile=$work/slurm/d
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
ReturnToService=2
KillWait=5
SchedulerParameters=requeue_setup_env_fail
NodeName=$host NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
    export SLURM_CONF=$work/slurm/slurm.conf
    sleep 1
    slurmctld -D >slurm/slurmctld.log 2>&1 & echo $! >slurm/slurmctld.pid
    sleep 2
    slurmd -D -N "$host" >slurm/slurmd.log 2>&1 & echo $! >slurm/slurmd.pid
    local try
    for try in $(seq 40); do
        sinfo -h -o %T 2>/dev/null | grep -q idle && return
        sleep 0.5
    done
    return 1
}

verify_slurm() {
    install sbatch slurm-wlm || { skipped "Slurm is not installed"; return; }
    [ "$(id -u)" = 0 ] || { skipped "a Slurm of one's own needs root"; return; }
    start_slurm || { tail -n 5 slurm/*.log; skipped "Slurm does not start here"; return; }
    mkdir -p set whole
    sample --count 32 --steps 30 --shard 0/1 -o 'whole/{index}.png' -q >/dev/null
    "$scripts/slurm.sh" -d "$work/set" -n 4 -- --class all --count 32 --seed 1 --steps 30 -q
    local job
    for try in $(seq 60); do [ -z "$(find set -name "*.png")" ] || break; sleep 0.5; done
    job=$(squeue -h -r -t R -o '%F_%K' | head -n 1)
    scancel --signal=TERM --batch "$job" && echo "sent TERM to task $job" || bad "TERM to $job"
    sleep 2
    job=$(squeue -h -r -t R -o '%F_%K' | tail -n 1)
    scontrol requeue "$job" && echo "requeued task $job" || bad "requeue of $job"
    local try
    for try in $(seq 120); do
        # A requeued task waits for its begin time; release what is held.
        [ -n "$(squeue -h -o %i)" ] || break
        sleep 1
    done
    [ -z "$(squeue -h)" ] || { squeue; bad "Slurm's tasks do not end"; return; }
    same whole set && ok "Slurm's array, with a task told to end and one requeued, makes the set" || bad "Slurm"
    "$scripts/collect.sh" set
}

for name in shards kill twice disk parallel throughput memory slurm; do
    case ",${only:-$name}," in *",$name,"*) echo "== $name"; "verify_$name" ;; esac
done
[ $failures = 0 ] || { echo "$failures failed"; exit 1; }
