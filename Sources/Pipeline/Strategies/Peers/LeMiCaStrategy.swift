import OmniCache

/// LeMiCa (Gao et al., arXiv 2511.00090): holds the output along the path of full calls whose worst segment harms the final
/// image least.
///
/// A segment's harm is measured by sampling the calibration images with that segment alone reused. Segments of up to twice
/// the average length are looked at: longer ones never are the least harm, and each costs the rest of a run.
struct LeMiCaStrategy: ReuseStrategy {
    let name = "lemica"
    var quantity = ForecastQuantity.direction

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> any PreparedStrategy {
        let calls = context.calls.count
        let allowed = try context.callBudget(budget, reusedBlocks: nil, fewest: 1, name: name)
        let forecaster = HeldOutput(quantity: quantity)
        let average = (calls + allowed.full - 1) / allowed.full
        let path = try MinimaxPath.fullCalls(
            calls: calls, edges: allowed.full, longest: average == 1 ? 1 : min(calls, 2 * average)
        ) { from, to in try context.segmentError(from..<to, forecaster: forecaster) }
        let full = Set(path ?? Array(0..<calls))
        return PlannedRun(
            plan: ReusePlan(steps: (0..<calls).map(full.contains), branches: context.branches),
            forecaster: forecaster, in: context)
    }
}
