/// The path search of LeMiCa (Gao et al., arXiv 2511.00090): over a graph of calls, the path of a given number of edges
/// whose largest edge is smallest, among those the one whose second largest is smallest, and so on.
public enum MinimaxPath {
    /// The best path from call 0 to the end of the run.
    ///
    /// Exact: the order of sorted costs is kept when the same edge is added to both, so the best prefixes suffice.
    ///
    /// - Parameters:
    ///   - calls: The number of calls; the end of the run is node `calls`.
    ///   - edges: The number of edges, which is that of full calls.
    ///   - longest: The longest edge.
    ///   - cost: The cost of an edge from a full call to the next one, or to the end.
    /// - Returns: The full calls, in order; nil when the edges are too few or too short to reach the end.
    public static func fullCalls(
        calls: Int, edges: Int, longest: Int, cost: (_ from: Int, _ to: Int) throws -> Double
    ) rethrows -> [Int]? {
        guard edges <= calls, edges * longest >= calls else { return nil }
        // best[node]: of all paths with the edges so far, the one with the least costs, largest first.
        var best = [Candidate?](repeating: nil, count: calls + 1)
        best[0] = Candidate(costs: [], nodes: [])
        for taken in 0..<edges {
            var next = [Candidate?](repeating: nil, count: calls + 1)
            for from in 0..<calls {
                guard let prefix = best[from] else { continue }
                // The end must stay within reach, and every later edge needs a node of its own.
                let rest = edges - taken - 1
                let first = max(from + 1, calls - rest * longest)
                let last = min(from + longest, calls - rest)
                for to in stride(from: first, through: last, by: 1) {
                    let candidate = prefix.extended(from: from, cost: try cost(from, to))
                    if next[to].map({ candidate.precedes($0) }) ?? true { next[to] = candidate }
                }
            }
            best = next
        }
        return best[calls]?.nodes
    }

    private struct Candidate {
        let costs: [Double]  // largest first
        let nodes: [Int]

        func extended(from node: Int, cost: Double) -> Candidate {
            var costs = costs
            costs.insert(cost, at: costs.firstIndex { $0 < cost } ?? costs.endIndex)
            return Candidate(costs: costs, nodes: nodes + [node])
        }

        func precedes(_ other: Candidate) -> Bool {
            costs.lexicographicallyPrecedes(other.costs)
        }
    }
}
