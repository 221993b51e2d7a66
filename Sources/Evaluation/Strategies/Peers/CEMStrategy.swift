import Caching

/// CEM (arXiv 2512.23258; https://github.com/leaves162/CEM): the full calls between which the cumulated error of a
/// calibration, weighted by the length of the gap, is least. The first and the last call are full, and all distances lie
/// around the even one.
///
/// A planner for other caches; here the gaps are filled by Taylor's series of the output, or hold it. How far the distances
/// may be from the even one (published as 1), the weight of a gap (none, its length, or the square of that: all published)
/// and the order of the series bring the calibration images nearest to their full runs. Our reading: the error of a gap is
/// the relative L1 change of the output from as many calls before; its sum runs over all calls from the start of the run to
/// the end of the gap, as in the authors' code.
struct CEMStrategy: ReuseStrategy {
    let name = "cem"
    /// What the output is taken as.
    var quantity = ForecastQuantity.velocity

    private static let orders = [1, 2, 3, 0]

    private struct Setting {
        let interval: Int
        let power: Int
    }

    private static let settings = [1, 2, 3].flatMap { interval in
        [2, 1, 0].map { Setting(interval: interval, power: $0) }
    }

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> PreparedStrategy {
        let (calls, branches) = (context.calls.count, context.branches)
        let allowed = try context.callBudget(budget, reusedBlocks: nil, fewest: 1, name: name)
        func run(_ plan: ReusePlan, order: Int) -> PreparedStrategy {
            PreparedStrategy(
                plan: plan,
                forecaster: order == 0
                    ? .hold(quantity: quantity) : .taylor(order: order, quantity: quantity, variable: .step),
                in: context)
        }
        guard allowed.full < calls else {
            return run(.full(calls: calls, branches: branches), order: Self.orders[0])
        }
        let changes = try OutputSeries(context, quantity: quantity).changes(longest: calls - 1)
        func plan(_ setting: Setting) -> ReusePlan {
            let full = CumulativeErrorPlan(changes: changes, interval: setting.interval, power: setting.power)
                .full(calls: calls, full: allowed.full)
            return ReusePlan(steps: full, branches: branches)
        }
        let chosen = try context.best(of: Self.settings) { run(plan($0), order: Self.orders[0]) }.setting
        return try context.best(of: Self.orders) { run(plan(chosen), order: $0) }.strategy
    }
}

/// CEM's dynamic programming.
struct CumulativeErrorPlan {
    /// [distance − 1][call]: the error of an output so many calls old.
    let changes: [[Double]]
    /// How far distances may be from the even one.
    let interval: Int
    /// The power of the number of reused calls that a gap's error is multiplied by.
    let power: Int

    /// Which of `calls` calls are full when `full` of them are; the first and the last are.
    func full(calls: Int, full: Int) -> [Bool] {
        guard full > 1 else { return (0..<calls).map { $0 == 0 } }
        let even = Int((Double(calls) / Double(full)).rounded())
        // The even distance between the first and the last call must be allowed.
        let (gaps, span) = (full - 1, calls - 1)
        let shortest = min(max(1, even - interval), span / gaps)
        let longest = max(even + interval, (span + gaps - 1) / gaps)
        let sums = changes.prefix(longest).map { errors in
            errors.reduce(into: [Double]()) { $0.append(($0.last ?? 0) + $1) }
        }
        func cost(_ from: Int, _ to: Int) -> Double? {
            guard to < calls else { return from == calls - 1 ? 0 : nil }
            let distance = to - from
            guard (shortest...longest).contains(distance) else { return nil }
            guard distance > 1 else { return 0 }
            let reused = distance - 1
            return sums[reused - 1][to] * (0..<power).reduce(1) { product, _ in product * Double(reused) }
        }
        guard let path = CheapestPath.fullCalls(calls: calls, edges: full, cost: cost) else {
            return SpacedCalls.full(calls: calls, full: full)
        }
        return (0..<calls).map(Set(path).contains)
    }
}
