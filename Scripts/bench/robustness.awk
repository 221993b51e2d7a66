# Prints the table of robustness.sh: of every row's file the default, which comes first at each budget, the best of its
# peers, and the better of the samplers with fewer steps. The files have the lines of `omnicache compare --log json`,
# after a line that begins with #.

# The value of the first key of this name: an object with its braces, or a number or text.
function value(json, key,    start, depth, i, c) {
    start = index(json, "\"" key "\":")
    if (!start) return ""
    json = substr(json, start + length(key) + 3)
    if (substr(json, 1, 1) != "{") {
        match(json, /[,}]/)
        json = substr(json, 1, RSTART - 1)
        gsub(/"/, "", json)
        return json
    }
    for (i = 1; i <= length(json); i++) {
        c = substr(json, i, 1)
        depth += (c == "{") - (c == "}")
        if (!depth) return substr(json, 1, i)
    }
}
# A percentile; what is missing is infinite.
function decibels(psnr, key,    text) {
    text = value(value(psnr, key), "value")
    return text == "" ? 1e9 : text + 0
}
function shown(x) { return x >= 1e9 ? "∞" : sprintf("%.1f", x) }
# Text to the right of a column; printf counts bytes, of which ∞ has three.
function right(text, width) { return sprintf("%" (width + (text == "∞" ? 2 : 0)) "s", text) }
# 5th percentile, median and flips of a strategy, or that it cannot reach the budget.
function figures(s) {
    if (!(s in fifth)) return sprintf("%-21s", "  cannot")
    return right(shown(fifth[s]), 6) " " right(shown(median[s]), 6) " " sprintf("%5.1f %%", 100 * flips[s])
}
# Whether strategy a is the better: by its worst images, then by flips, then by the median.
function better(a, b) {
    if (b == "") return 1
    if (fifth[a] != fifth[b]) return fifth[a] > fifth[b]
    if (flips[a] != flips[b]) return flips[a] < flips[b]
    return median[a] > median[b]
}
# Prints the row of one budget.
function finish(    s, i, loses, peer, fewer, lost) {
    if (budget == "") return
    peer = fewer = loses = ""
    for (i = 2; i <= strategies; i++) {
        s = order[i]
        if (!(s in fifth)) continue
        if (s ~ /^fewer-steps/) { if (better(s, fewer)) fewer = s } else if (better(s, peer)) peer = s
        if (fifth[s] > fifth[order[1]]) lost["5th pct"] = 1
        if (flips[s] < flips[order[1]]) lost["flips"] = 1
        if (median[s] > median[order[1]]) lost["median"] = 1
        if (ssim[s] > ssim[order[1]]) lost["SSIM"] = 1
    }
    if (order[1] in fifth) {
        for (i = 1; i <= 4; i++) if (measures[i] in lost) loses = loses (loses == "" ? "" : ", ") measures[i]
    } else if (peer fewer != "") loses = "cannot"
    printf "%-20s %6s  %s  %-16s %s  %s  %s\n", name, budget, figures(order[1]), (peer == "" ? "-" : peer), \
        figures(peer), figures(fewer), (loses == "" ? "" : "loses: " loses)
    total++
    losing += loses != ""
    delete fifth; delete median; delete flips; delete ssim; delete order
    strategies = 0
}
BEGIN {
    split("5th pct,flips,median,SSIM", measures, ",")
    printf "%-20s %6s  %-21s  %-38s  %s\n", "", "", "default", "best peer", "fewer steps"
    head = sprintf("%6s %6s %7s", "5th", "median", "flips")
    printf "%-20s %6s  %s  %-16s %s  %s\n", "row", "budget", head, "", head, head
}
/^#/ {
    finish()
    name = FILENAME
    sub(/.*\//, "", name)
    sub(/\.rows$/, "", name)
    budget = ""
    next
}
{
    if (value($0, "budget") != budget) { finish(); budget = value($0, "budget") }
    s = value($0, "strategy")
    order[++strategies] = s
    summary = value($0, "summary")
    if (summary == "") next
    psnr = value(summary, "psnr")
    fifth[s] = decibels(psnr, "fifthPercentile")
    median[s] = decibels(psnr, "median")
    flips[s] = value(value(psnr, "flips"), "share") + 0
    ssim[s] = value(value(summary, "ssim"), "mean") + 0
}
END {
    finish()
    printf "The default loses something in %d of %d rows.\n", losing, total
}
