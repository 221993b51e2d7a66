import OmniCache

/// LeMiCa (Gao et al., arXiv 2511.00090): holds the output along the path of full calls whose worst segment harms the final
/// image least.
///
/// A segment's harm is measured by sampling a calibration image with that segment alone reused; one image, as the paper
/// finds enough. Segments longer than one that harms more than the worst of an even plan are not looked at: a path through
/// them would be the worse one, and each costs the rest of a run.
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
        let mask = SpacedCalls.full(calls: calls, full: full)
        let even = mask.indices.filter { mask[$0] }
        var known: [Range<Int>: Double] = [:]
        for (from, to) in zip(even, even.dropFirst() + [calls]) { known[from..<to] = try harm(from..<to) }
        let worst = known.values.max() ?? 0

        var tooLong: [Int: Int] = [:]
        let path = try MinimaxPath.fullCalls(calls: calls, edges: full, longest: calls) { from, to in
            if let harm = known[from..<to] { return harm }
            if let end = tooLong[from], to >= end { return .infinity }
            let found = try harm(from..<to)
            known[from..<to] = found
            if found > worst { tooLong[from] = min(to, tooLong[from] ?? to) }
            return found
        }
        return path ?? even
    }
}
