extension String {
    /// The fewest insertions, deletions, replacements and swaps of neighbours that turn this text into another (the optimal
    /// string alignment distance).
    public func edits(to other: String) -> Int {
        let (first, second) = (Array(self), Array(other))
        var (before, last) = ([Int](), Array(0...second.count))
        for i in first.indices {
            var row = [i + 1]
            for j in second.indices {
                let replaced = last[j] + (first[i] == second[j] ? 0 : 1)
                var best = Swift.min(replaced, last[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, first[i] == second[j - 1], first[i - 1] == second[j] {
                    best = Swift.min(best, before[j - 1] + 1)
                }
                row.append(best)
            }
            (before, last) = (last, row)
        }
        return last[second.count]
    }
}
