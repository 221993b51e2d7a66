# shellcheck shell=bash
# Two processes are given the same shard by mistake.

whole
mkdir twice
become_sample --shard 0/1 -o 'twice/{index}.png' >/dev/null & first=$!
become_sample --shard 0/1 -o 'twice/{index}.png' >/dev/null & second=$!
statuses=
for pid in $first $second; do
    status=0
    wait "$pid" || status=$?
    statuses="$statuses $status"
done
check "two processes with one shard both end well" [ "$statuses" = " 0 0" ]
check "they make the set between them" same one twice
check "the manifest has a line for each image" [ "$(wc -l <twice/manifest-0-of-1.jsonl)" = 24 ]
check "collect.sh finds every file as it is listed" "$SCRIPTS/collect.sh" twice
