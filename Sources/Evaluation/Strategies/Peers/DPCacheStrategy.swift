import Caching

/// DPCache: the full calls whose gaps, forecast from the two full calls before each, add up to the least error; the first
/// three calls are full, and the gaps are filled by Taylor's series.
///
/// Our reading: the error is that of the whole output, summed over branches and calibration images. Published with a series
/// of order 2; it is of order 1, as the gaps' errors assume, where that brings the calibration images nearer to the full
/// run.
struct DPCacheStrategy: ReuseStrategy {
    let name = "dpcache"
    /// What the output is taken as.
    var quantity = ForecastQuantity.velocity

    private static let head = 3
    private static let orders = [2, 1]

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> any PreparedStrategy {
        let (calls, branches) = (context.calls.count, context.branches)
        let allowed = try context.callBudget(budget, reusedBlocks: nil, fewest: Self.head, name: name)
        func run(_ plan: ReusePlan, order: Int) -> PlannedRun {
            let forecaster = TaylorForecaster(
                order: order, quantity: quantity, variable: .step, calls: context.calls)
            return PlannedRun(plan: plan, forecaster: forecaster, in: context)
        }
        guard allowed.full < calls else {
            return run(.full(calls: calls, branches: branches), order: Self.orders[0])
        }
        // Far beyond the average distance, so that a run of hundreds of calls does not cost their cube.
        let longest = min(calls, 4 * (calls / allowed.full + 1))
        let costs = try OutputSeries(context, quantity: quantity).gapCosts(longest: longest)
        let path = PredecessorPath.fullCalls(
            calls: calls, full: allowed.full, head: Self.head, longest: longest, cost: costs.cost)
        let full = Set(path ?? Array(0..<calls))
        let plan = ReusePlan(steps: (0..<calls).map(full.contains), branches: branches)
        let candidates = Self.orders.map { run(plan, order: $0) }
        let errors = try candidates.map { try context.finalError(of: $0) }
        return zip(candidates, errors).min { $0.1 < $1.1 }?.0 ?? candidates[0]
    }
}
