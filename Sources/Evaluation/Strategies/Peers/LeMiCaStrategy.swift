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

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> any PreparedStrategy {
        let calls = context.calls.count
        let allowed = try context.callBudget(budget, reusedBlocks: nil, fewest: 1, name: name)
        let forecaster = HoldForecaster(quantity: quantity)
        let full = Set(try path(allowed.full, calls: calls) { try context.segmentError($0, forecaster: forecaster) })
        return PlannedRun(
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
