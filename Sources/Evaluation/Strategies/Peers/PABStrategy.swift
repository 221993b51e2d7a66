import Caching
import Models

/// Pyramid Attention Broadcast (Zhao et al., arXiv 2408.12588): holds the outputs of layers in the middle of the run, those of
/// the attention over time twice as long as those of the attention over space, and those of the attention to a prompt three
/// times as long.
///
/// Published with distances of 2, 4 and 6 between full calls, and everything full in the first 20 % and the last 10 % of the
/// run. Other layers are held as long as attention over space (its code broadcasts MLPs, too): attention alone cannot
/// save half of the work. The distances follow from the budget. Of the published middle and one of all calls but the first
/// and the last, the better one on the calibration images is kept, since few budgets allow the former.
struct PABStrategy: ReuseStrategy {
    let name = "pab"

    /// The published shares of the run before and after which everything is full, and none.
    private static let middles = [(from: 0.2, to: 0.9), (from: 0.0, to: 1.0)]

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> PreparedStrategy {
        let (calls, network, price) = (context.calls.count, context.network, context.price)
        let evaluations = budget.evaluations(of: context.fullEvaluations)
        func run(_ schedule: LayerForecastCache.Schedule) -> PreparedStrategy {
            PreparedStrategy(in: context) { _ in
                LayerForecastCache(schedule, order: 0, basis: .taylor, network: network)
            }
        }
        guard evaluations < context.fullEvaluations else {
            return run(network.schedule(Array(repeating: true, count: calls)))
        }
        let schedules = Self.middles.compactMap { middle in
            let spread = BroadcastSchedule(calls: calls, from: middle.from, to: middle.to)
            return (0...spread.held.count).reversed().lazy.map { spread.schedule(full: $0, of: network.layerKinds) }
                .first { price.allows(price.work($0, calls: calls), within: evaluations) }
        }
        guard !schedules.isEmpty else {
            let least = BroadcastSchedule(calls: calls, from: 0, to: 1).schedule(full: 0, of: network.layerKinds)
            throw context.tooSmall(for: name, least: price.work(least, calls: calls))
        }
        return try context.best(of: schedules, prepare: run).strategy
    }
}

/// Which calls of a run are full for each kind of layer, when some kinds are held longer than others.
struct BroadcastSchedule {
    /// The number of calls.
    let calls: Int
    /// The calls that may be held; never the first or the last.
    let held: Range<Int>

    /// A schedule that may hold the calls between two shares of the run.
    init(calls: Int, from: Double, to: Double) {
        self.calls = calls
        let first = max(1, Int((from * Double(calls)).rounded(.up)))
        held = first..<max(first, min(calls - 1, Int((to * Double(calls)).rounded(.down))))
    }

    /// How many times as long as other layers one of this kind is held.
    static func length(of kind: LayerKind) -> Int {
        switch kind {
        case .temporalAttention: 2
        case .crossAttention: 3
        default: 1
        }
    }

    /// - Parameters:
    ///   - full: how many of the calls that may be held are full for most layers.
    ///   - kinds: the kinds of layers.
    /// - Returns: which calls are full.
    func schedule(full: Int, of kinds: [LayerKind]) -> LayerForecastCache.Schedule {
        Dictionary(
            uniqueKeysWithValues: kinds.map { kind in
                let count = full / Self.length(of: kind)
                var mask = (0..<calls).map { !held.contains($0) }
                // Evenly between the last full call before and the first one after.
                for index in 1..<count + 1 { mask[held.lowerBound - 1 + index * (held.count + 1) / (count + 1)] = true }
                return (kind, mask)
            })
    }
}
