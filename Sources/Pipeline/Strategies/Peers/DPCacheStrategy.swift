import OmniCache

/// DPCache: the full calls whose gaps, forecast from the two full calls before each, add up to the least error; the first
/// three calls are full, and the gaps are filled by Taylor's series of order 2.
///
/// Our reading: the error is that of the whole output, summed over branches and calibration images.
struct DPCacheStrategy: ReuseStrategy {
    let name = "dpcache"
    /// What the output is taken as.
    var quantity = ForecastQuantity.velocity
    /// The order of the series.
    var order = 2

    private static let head = 3

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> any PreparedStrategy {
        let (calls, branches) = (context.calls.count, context.branches)
        let allowed = try context.callBudget(budget, reusedBlocks: nil, fewest: Self.head, name: name)
        let forecaster = TaylorForecaster(
            order: order, quantity: quantity, variable: .step, calls: context.calls)
        guard allowed.full < calls else {
            return PlannedRun(plan: .full(calls: calls, branches: branches), forecaster: forecaster, in: context)
        }
        // Far beyond the average distance, so that a run of hundreds of calls does not cost their cube.
        let longest = min(calls, 4 * (calls / allowed.full + 1))
        let costs = try OutputSeries(context, quantity: quantity).gapCosts(longest: longest)
        let path = PredecessorPath.fullCalls(
            calls: calls, full: allowed.full, head: Self.head, longest: longest, cost: costs.cost)
        let full = Set(path ?? Array(0..<calls))
        return PlannedRun(
            plan: ReusePlan(steps: (0..<calls).map(full.contains), branches: branches), forecaster: forecaster,
            in: context)
    }
}
