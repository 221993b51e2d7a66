import Caching

/// LeMiCa (Gao et al., arXiv 2511.00090): holds the output along the path of full calls whose worst segment harms the final
/// image least.
///
/// A segment's harm is measured by sampling a calibration image with that segment alone reused; one image, as the paper
/// finds enough. Measuring every segment would cost hundreds of runs, so those of one reused call are measured, which says
/// what the others come to about, and then the segments of the path that is found, until it stays.
struct LeMiCaStrategy: ReuseStrategy {
    let name = "lemica"
    /// What the output is taken as.
    var quantity = ForecastQuantity.velocity

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> PreparedStrategy {
        let calls = context.calls.count
        let allowed = try context.callBudget(budget, reusedBlocks: nil, fewest: 1, name: name)
        let forecaster = Forecaster.hold(quantity: quantity)
        let full = Set(try path(allowed.full, calls: calls) { try context.segmentError($0, forecaster: forecaster) })
        return PreparedStrategy(
            plan: ReusePlan(steps: (0..<calls).map(full.contains), branches: context.branches),
            forecaster: forecaster, in: context)
    }

    /// The best path of `full` full calls.
    private func path(_ full: Int, calls: Int, harm: (Range<Int>) throws -> Double) throws -> [Int] {
        guard full < calls else { return Array(0..<calls) }
        let single = try (0..<calls).map { $0 + 2 > calls ? 0 : try harm($0..<$0 + 2) }
        var measured: [Range<Int>: Double] = [:]
        while true {
            let path = MinimaxPath.fullCalls(calls: calls, edges: full, longest: calls) { from, to in
                measured[from..<to] ?? Self.estimate(from..<to, single: single)
            }
            let nodes = path ?? Array(0..<full)
            let segments = zip(nodes, nodes.dropFirst() + [calls]).map { $0..<$1 }
            let unknown = segments.filter { measured[$0] == nil }
            if unknown.isEmpty { return nodes }
            for segment in unknown { measured[segment] = try harm(segment) }
        }
    }

    /// What holding through `segment` comes to, when the error of an output grows evenly with its age.
    ///
    /// single[n] is the harm of reusing call n + 1 alone, with an output that is one call old.
    private static func estimate(_ segment: Range<Int>, single: [Double]) -> Double {
        segment.dropFirst().reduce(0) { $0 + Double($1 - segment.lowerBound) * single[$1 - 1] }
    }
}

/// The path search of LeMiCa: over a graph of calls, the path of a given number of edges
/// whose largest edge is smallest, among those the one whose second largest is smallest, and so on.
enum MinimaxPath {
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
    static func fullCalls(
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
