# shellcheck shell=bash
# A real Slurm of one node runs the array script: 4 tasks on 2 processors. One task is cancelled and then requeued, one is
# told to end and queues itself again, one is requeued while it runs.

# Starts munged, slurmctld and slurmd, by root, on the loopback device, without accounting, cgroups or systemd.
start_slurm() {
    local host key=$WORK/slurm/munge.key name
    host=$(hostname -s)
    mkdir -p slurm/state slurm/spool slurm/munge
    for name in slurmd slurmctld munged; do undo+=("stop_daemon $name"); done
    dd if=/dev/urandom of="$key" bs=128 count=8 status=none
    chmod 400 "$key"
    chmod 755 "$WORK" slurm slurm/munge
    chown -R munge: slurm/munge "$key"
    chown munge: slurm
    setpriv --reuid munge --regid munge --clear-groups munged --foreground --force \
        --key-file="$key" --socket="$WORK/slurm/munge/socket" --pid-file="$WORK/slurm/munge/pid" \
        --log-file="$WORK/slurm/munge/log" --seed-file="$WORK/slurm/munge/seed" >slurm/munged.log 2>&1 &
    echo $! >slurm/munged.pid
    # A requeued task waits for as long as a credential lives (5 s is the least), and tasks are scheduled once in an
    # interval.
    cat >slurm/slurm.conf <<CONF
ClusterName=verify
SlurmctldHost=$host(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket=$WORK/slurm/munge/socket,cred_expire=5
CredType=cred/munge
SlurmUser=root
SlurmctldPort=26817
SlurmdPort=26818
StateSaveLocation=$WORK/slurm/state
SlurmdSpoolDir=$WORK/slurm/spool
SlurmctldPidFile=$WORK/slurm/ctld
SlurmdPidFile=$WORK/slurm/d
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
ReturnToService=2
JobRequeue=1
KillWait=5
SchedulerParameters=sched_interval=2,bf_interval=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
    export SLURM_CONF=$WORK/slurm/slurm.conf
    within 10 [ -S slurm/munge/socket ] || return
    slurmctld -D >slurm/slurmctld.log 2>&1 & echo $! >slurm/slurmctld.pid
    within 20 scontrol ping >/dev/null || return
    slurmd -D -N "$host" >slurm/slurmd.log 2>&1 & echo $! >slurm/slurmd.pid
    within 20 node_is_idle
}

stop_daemon() {
    local pid
    pid=$(cat "$WORK/slurm/$1.pid" 2>/dev/null) || return
    kill "$pid" 2>/dev/null || :
    # It writes to its folder until it is gone.
    wait "$pid" 2>/dev/null || :
}

# Waits until a command succeeds, for $1 seconds at most.
within() {
    local left=$(($1 * 5))
    shift
    until "$@" 2>/dev/null; do
        left=$((left - 1))
        [ $left -gt 0 ] || return 1
        sleep 0.2
    done
}
node_is_idle() { [ "$(sinfo -h -o %T)" = idle ]; }
# The state of an array's task, also of one that has ended.
state() { scontrol -o show job "$1" | sed -n 's/.* JobState=\([A-Z]*\).*/\1/p'; }
is() { [ "$(state "$1")" = "$2" ]; }
restarts() { scontrol -o show job "$1" | sed -n 's/.* Restarts=\([0-9]*\).*/\1/p'; }
has_images() { [ "$(find "$1" -name "0*.png" | wc -l)" -ge "$2" ]; }
no_task_is_left() { [ -z "$(squeue -h)" ]; }
# Tells why, by the daemons' logs.
tell_logs() { tail -n 5 slurm/*.log >&2; squeue >&2 || :; }

verify_array() {
    local job task=0
    mkdir calm_array
    # Long enough that no task is through before its turn to be disturbed comes.
    sample --count 64 --steps 60 --shard 0/1 -o 'calm_array/{index}.png' >/dev/null
    job=$("$SCRIPTS/slurm.sh" -d array -n 4 -- --class all --seed 1 --count 64 --steps 60 --quiet | sed 's/.* //')
    echo "submitted array $job"
    within 60 has_images array 4 || { bad "no task of the array makes an image"; tell_logs; return; }

    check "a task is cancelled" scancel "${job}_0"
    # Scancel tries again and again where the task is gone by the time that it looks for it, and would meet its next start.
    timeout 2 scancel --signal=TERM --batch "${job}_1" || :
    check "Slurm says that it is cancelled" within 30 is "${job}_0" CANCELLED
    check "a task that is told to end queues itself again" within 30 eval "[ \"\$(restarts ${job}_1)\" -ge 1 ]"
    sleep 3
    check "the cancelled one stays so, as whoever has cancelled it wants" is "${job}_0" CANCELLED
    check "it is requeued" scontrol requeue "${job}_0"

    for task in 2 3; do within 60 is "${job}_$task" RUNNING && break; done
    check "a task is requeued while it runs" scontrol requeue "${job}_$task"
    check "it begins anew" within 20 eval "[ \"\$(restarts ${job}_$task)\" -ge 1 ]"

    within 300 no_task_is_left || { bad "the array does not end"; tell_logs; return; }
    for task in 0 1 2 3; do
        check "task $task has ended well: $(state "${job}_$task")" is "${job}_$task" COMPLETED
    done
    check "the array makes the set" same calm_array array
    check "nothing is half-written" has_no_temporaries array
    check "collect.sh finds it complete" "$SCRIPTS/collect.sh" array
}

# What Slurm reads in the name of a log, and in the lines of a job, is a letter of a directory's name.
verify_names() {
    whole
    "$SCRIPTS/slurm.sh" -d "${nasty:?}" -n 2 -- --class all --seed 1 --steps 4 --count 24 --quiet >/dev/null
    within 120 no_task_is_left || { bad "the array of nasty names does not end"; tell_logs; return; }
    check "an array makes the set in a directory of nasty names" is_set_without_trace "${nasty:?}"
    check "each task has its log there" [ "$(find "./${nasty:?}" -maxdepth 1 -name 'slurm-*_[01].log' -printf x)" = xx ]
}

# Programs in the place of Slurm's and of the binary: squeue fails $1 times, then prints $2; scontrol notes what it is told.
# Prints the exit code of a task that is told to end, and what scontrol was told.
task_beside() {
    local status=0
    rm -rf stand_ins
    mkdir stand_ins
    printf '#!/bin/sh\nexit 75\n' >stand_ins/omnicache
    # shellcheck disable=SC2016
    printf '#!/bin/sh\necho >>%s\n[ "$(wc -l <%s)" -gt %s ] && echo %s\n' stand_ins/asked stand_ins/asked "$1" "$2" \
        >stand_ins/squeue
    printf '#!/bin/sh\necho "$@" >>stand_ins/told\n' >stand_ins/scontrol
    chmod +x stand_ins/*
    PATH=$PWD/stand_ins:$PATH OMNICACHE=$PWD/stand_ins/omnicache SLURM_ARRAY_JOB_ID=7 SLURM_ARRAY_TASK_ID=2 \
        "$SCRIPTS/slurm.sh" --task -d stand_ins -n 4 -- --seed 1 >/dev/null 2>&1 || status=$?
    echo "$status $(cat stand_ins/told 2>/dev/null)"
}

check "a task that is told to end is requeued" [ "$(task_beside 0 RUNNING)" = "0 requeue 7_2" ]
check "also where squeue fails twice" [ "$(task_beside 2 RUNNING)" = "0 requeue 7_2" ]
check "also where squeue fails for good" [ "$(task_beside 99 RUNNING)" = "0 requeue 7_2" ]
for state in CANCELLED COMPLETING; do
    check "not where it is $state" [ "$(task_beside 0 $state)" = "75 " ]
    check "nor where squeue has failed before it says so" [ "$(task_beside 1 $state)" = "75 " ]
done

if [ "$(id -u)" != 0 ]; then
    skipped "Slurm: only root can start one"
elif ! install sbatch slurm-wlm || ! install munged munge; then
    skipped "Slurm is not installed, and cannot be"
elif ! start_slurm; then
    bad "Slurm does not start here"
    tell_logs
else
    echo "$(slurmd -V), $(nproc) processors"
    verify_names
    verify_array
fi
