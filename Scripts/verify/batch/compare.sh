# shellcheck shell=bash
# Finished batches are compared and analysed from their files, without sampling again.

whole
mkdir half
for shard in 0 1; do sample --budget 0.6 --planner uniform --forecaster hold --shard $shard/2 -o 'half/{index}.png' >/dev/null; done
# A model that is not there cannot sample.
report=$(OMNICACHE_MODELS=/nowhere "$OMNICACHE" compare one half -q --log json -o compared)
check "compare pairs all images of two finished batches" [ "$(grep -c '"pair"' <<<"$report")" = 24 ]
figure "$(grep -o '"psnr":{[^}]*}' <<<"$report" | tail -n 1)"
check "it writes its report" are_filled compared.json compared.html
OMNICACHE_MODELS=/nowhere "$OMNICACHE" analyze one half/manifest-?-of-2.jsonl -q >/dev/null
check "analyze tells of every image" [ "$(wc -l <analysis-images.csv)" = 49 ]
echo >>half/000003.png
check "a file that has changed since is refused with 65" [ "$(code "$OMNICACHE" compare one half)" = 65 ]
rm half/000003.png
check "a file that is gone is refused with 66" [ "$(code "$OMNICACHE" compare one half)" = 66 ]
