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

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> PreparedStrategy {
        let (calls, branches) = (context.calls.count, context.branches)
        let allowed = try context.callBudget(budget, reusedBlocks: nil, fewest: Self.head, name: name)
        func run(_ plan: ReusePlan, order: Int) -> PreparedStrategy {
            PreparedStrategy(
                plan: plan, forecaster: .taylor(order: order, quantity: quantity, variable: .step), in: context)
        }
        guard allowed.full < calls else {
            return run(.full(calls: calls, branches: branches), order: Self.orders[0])
        }
        let series = try OutputSeries(context, quantity: quantity)
        let plan = Self.plan(full: allowed.full, by: series, in: context) ?? .full(calls: calls, branches: branches)
        return try context.best(of: Self.orders) { run(plan, order: $0) }.strategy
    }

    /// The plan with `full` full calls; nil where they are too few.
    static func plan(full: Int, by series: OutputSeries, in context: StrategyContext) -> ReusePlan? {
        let calls = context.calls.count
        // Far beyond the average distance, so that a run of hundreds of calls does not cost their cube.
        let longest = min(calls, 4 * (calls / full + 1))
        let costs = series.gapCosts(longest: longest)
        return PredecessorPath.fullCalls(calls: calls, full: full, head: head, longest: longest, cost: costs.cost)
            .map { path in
                let full = Set(path)
                return ReusePlan(steps: (0..<calls).map(full.contains), branches: context.branches)
            }
    }
}

/// The path search of DPCache: the cheapest sequence of full calls when the cost of a gap depends on the two full calls
/// before it.
///
/// The published recursion keeps one predecessor for each call; here both calls are the state, so that the path is the
/// cheapest of all.
enum PredecessorPath {
    /// The best sequence that begins with calls 0, 1, … `head` − 1.
    ///
    /// - Parameters:
    ///   - calls: The number of calls; the end of the run is node `calls`.
    ///   - full: The number of full calls.
    ///   - head: How many calls are full at the start, at least 2.
    ///   - longest: The longest distance between two full calls, or from the last one to the end.
    ///   - cost: The cost of the gap between `call` and `next`, which is forecast from `previous` and `call`.
    /// - Returns: The full calls, in order; nil when there are fewer than `head`, or too few to reach the end.
    static func fullCalls(
        calls: Int, full: Int, head: Int, longest: Int, cost: (_ previous: Int, _ call: Int, _ next: Int) -> Double
    ) -> [Int]? {
        precondition(head >= 2, "a gap's cost depends on two full calls")
        guard (head...max(head, calls)).contains(full), full <= calls else { return nil }
        let start = State(previous: head - 2, call: head - 1)
        var layers: [[State: Best]] = [[start: Best(cost: 0, before: nil)]]
        for taken in head..<max(head, full) {
            var next: [State: Best] = [:]
            // Each full call that is still to come needs a call of its own.
            let rest = full - taken - 1
            for (state, best) in layers[layers.count - 1] {
                // The end must stay within reach.
                let first = max(state.call + 1, calls - (rest + 1) * longest)
                for to in stride(from: first, through: min(state.call + longest, calls - 1 - rest), by: 1) {
                    let candidate = best.cost + cost(state.previous, state.call, to)
                    let reached = State(previous: state.call, call: to)
                    if let known = next[reached], !Best.precedes(candidate, state, known) { continue }
                    next[reached] = Best(cost: candidate, before: state)
                }
            }
            layers.append(next)
        }
        let ends = layers[layers.count - 1].filter { $0.key.call + longest >= calls }.map { state, best in
            (state: state, cost: best.cost + cost(state.previous, state.call, calls))
        }
        guard var state = ends.min(by: { ($0.cost, $0.state.order) < ($1.cost, $1.state.order) })?.state else {
            return nil
        }
        var path = [state.call]
        for layer in layers.dropFirst().reversed() {
            guard let before = layer[state]?.before else { return nil }
            state = before
            path.append(state.call)
        }
        return Array(0..<head - 1) + path.reversed()
    }

    private struct State: Hashable {
        let previous: Int
        let call: Int

        /// A tie is decided by this, since a dictionary's order changes from run to run.
        var order: Int { call << 32 | previous }
    }

    private struct Best {
        let cost: Double
        let before: State?

        static func precedes(_ cost: Double, _ before: State, _ known: Best) -> Bool {
            (cost, before.order) < (known.cost, known.before?.order ?? .max)
        }
    }
}
