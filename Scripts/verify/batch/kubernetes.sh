# shellcheck shell=bash
# The Kubernetes job, as far as it can be tried without a cluster: its fields against the published schema, its pods'
# command line by hand, and what it does about the exit codes that the binary really returns.

job=$SCRIPTS/k8s-job.yaml
if ! interpreter=$(python); then
    skipped "the Kubernetes job: no Python with its schema can be had"
else
    for version in 1.31 1.34 1.37; do
        check "the job keeps to the schema of Kubernetes $version" \
            "$interpreter" -m kubernetes_validate --strict --quiet -k $version "$job"
    done
    of_job() { "$interpreter" "$SCRIPTS/verify/batch/kubernetes.py" "$job" "$@"; }

    # The pod's paths lie in this directory; its image has the binary on the PATH.
    mapfile -t words < <(of_job command | sed "s|/list/|$WORK/list/|g; s|/images/|$WORK/images/|g")
    mkdir list images bin
    ln -s "$OMNICACHE" bin/omnicache
    # Becomes the pod's first process, the one that an eviction signals.
    become_pod() { exec env PATH="$WORK/bin:$PATH" JOB_COMPLETION_INDEX="$1" "${words[@]}"; }
    pod() (become_pod "$1")
    { echo class,seed,steps; for index in $(seq 0 23); do echo "$index,$((index + 1)),4"; done; } >list/list.csv
    for ((index = 0; index < $(of_job count); index++)); do pod $index >/dev/null 2>error || bad "pod $index: $(cat error)"; done
    whole
    check "the pods' command lines make the set" same one images
    check "collect.sh finds it complete" "$SCRIPTS/collect.sh" images

    # What goes wrong, its exit code, and the action for it.
    expect() {
        check "$1: $2, $(cat error)" [ "$2" = "$3" ]
        check "the job's action for $3 is $4" [ "$(of_job action "$3")" = "$4" ]
    }
    expect "a shard beyond the last" "$(code pod 8)" 64 FailJob
    echo "colour,1" >>list/list.csv
    expect "a list that makes no sense" "$(code pod 0)" 65 FailJob
    mv list/list.csv list/kept.csv
    expect "a list that is not mounted" "$(code pod 0)" 66 FailJob
    sed 's/,4$/,5/' list/kept.csv | head -n 25 >list/list.csv
    expect "another batch in the claim" "$(code pod 0)" 73 FailJob
    sed 's/,4$/,800/' list/kept.csv | head -n 25 >list/list.csv
    rm -r images && mkdir images
    become_pod 0 >/dev/null 2>error & pid=$!
    while [ ! -e images/run.json ] && kill -0 $pid 2>/dev/null; do sleep 0.02; done
    sleep 0.3
    kill -TERM $pid
    status=0
    wait $pid || status=$?
    expect "an eviction" $status 75 Ignore
    check "an input/output error counts as a failure" [ "$(of_job action 74)" = Count ]
    check "an internal error ends the job" [ "$(of_job action 70)" = FailJob ]
fi
