import Sampling

/// The cheapest plan under a calibration (``PlanCost``): the best one for both branches alike, found by dynamic
/// programming over the last two full calls, then evaluations moved between calls and branches while that helps.
public struct PathPlanner: Planner {
    public var name: String { (objective == .image ? PlannerKind.path : .pathDeviation).rawValue }
    /// What the plan is to be good for.
    public let objective: PlanObjective

    private let calibration: Calibration

    /// A planner for runs like those of `calibration`.
    public init(calibration: Calibration, objective: PlanObjective = .image) {
        self.calibration = calibration
        self.objective = objective
    }

    public func plan(_ request: PlanRequest) throws(PlanError) -> ReusePlan {
        try calibration.check(calls: request.calls.count, branches: request.branches)
        let rules = PlanRules(request)
        let fullCalls = try rules.fullCalls(for: request, planner: name)
        let full = ReusePlan.full(calls: request.calls.count, branches: request.branches)
        guard request.evaluations < full.evaluations else { return full }
        let cost = PlanCost(calibration, objective: objective, calls: request.calls)
        guard let isFull = JointPlanSearch(cost: cost, rules: rules).best(fullCalls) else {
            throw .budgetTooSmall(
                planner: name, smallest: request.branches.count * (fullCalls + 1), total: full.evaluations)
        }
        var exchange = PlanExchange(cost: cost, rules: rules, start: isFull, branches: request.branches)
        exchange.improve(evaluations: request.evaluations)
        return exchange.plan
    }
}

/// The cheapest plan that decides for all branches alike, by dynamic programming over (number of full calls, the last of
/// them, the one before): the cost of a gap depends on both.
struct JointPlanSearch {
    let cost: PlanCost
    let rules: PlanRules

    /// The best plan of `count` full calls; nil when the rules allow none.
    func best(_ count: Int) -> [Bool]? {
        let calls = rules.isForced.count
        guard count > 1 else {
            return rules.isForced.dropFirst().contains(true) || calls - 1 > rules.longestReuse
                ? nil : (0..<calls).map { $0 == 0 }
        }
        let gap = longestGap(count)
        // Where much is forced, there may be no plan without a longer one.
        return best(count, gap: gap) ?? (gap < rules.longestReuse ? best(count, gap: rules.longestReuse) : nil)
    }

    private func best(_ count: Int, gap: Int) -> [Bool]? {
        let calls = rules.isForced.count
        // totals[last][before]: the cheapest way to have had so many full calls, these the last two.
        var totals = Self.table(calls)
        var parents: [[[Int16]]] = []
        for last in 1..<calls where allows(0, last, gap) { totals[last][0] = sum(last: 0, before: nil, to: last) }
        for _ in 2..<max(count, 2) {
            var next = Self.table(calls)
            var parent = [[Int16]](repeating: [Int16](repeating: -1, count: calls), count: calls)
            for last in 1..<calls {
                for before in 0..<last where totals[last][before] < .infinity {
                    var total = totals[last][before]
                    for following in last + 1..<max(calls, last + 1) {
                        guard allows(last, following, gap) else { break }
                        if following > last + 1 { total += cost.cost(at: following - 1, last: last, before: before) }
                        if total < next[following][last] {
                            next[following][last] = total
                            parent[following][last] = Int16(before)
                        }
                    }
                }
            }
            totals = next
            parents.append(parent)
        }
        return close(totals, parents: parents, gap: gap)
    }

    /// Adds the gap after the last full call, and walks back from the cheapest end.
    private func close(_ totals: [[Double]], parents: [[[Int16]]], gap: Int) -> [Bool]? {
        let calls = totals.count
        var best: (total: Double, last: Int, before: Int)?
        for last in 1..<calls where allows(last, calls, gap) {
            for before in 0..<last where totals[last][before] < .infinity {
                let total = totals[last][before] + sum(last: last, before: before, to: calls)
                if total < best?.total ?? .infinity { best = (total, last, before) }
            }
        }
        guard var (_, last, before) = best else { return nil }
        var isFull = [Bool](repeating: false, count: calls)
        isFull[last] = true
        isFull[before] = true
        for parent in parents.reversed() {
            (last, before) = (before, Int(parent[last][before]))
            isFull[before] = true
        }
        return isFull
    }

    /// The cost of all calls after `last` and before `end`.
    private func sum(last: Int, before: Int?, to end: Int) -> Double {
        (last + 1..<max(end, last + 1)).reduce(0) { $0 + cost.cost(at: $1, last: last, before: before) }
    }

    /// Whether everything between two full calls may be reused.
    private func allows(_ last: Int, _ next: Int, _ gap: Int) -> Bool {
        next - last - 1 <= gap && !(last + 1..<max(next, last + 1)).contains { rules.isForced[$0] }
    }

    /// The longest gap that is tried. No good plan has one of more than several times the mean, and the table of
    /// costs grows with the square.
    private func longestGap(_ count: Int) -> Int {
        let calls = rules.isForced.count
        return min(rules.longestReuse, max(calls <= 64 ? calls : 16, 4 * calls / count))
    }

    private static func table(_ calls: Int) -> [[Double]] {
        [[Double]](repeating: [Double](repeating: .infinity, count: calls), count: calls)
    }
}

extension PlannerKind {
    /// ``PathPlanner`` for the final image.
    public static let path = PlannerKind("path", forecaster: .best) { PathPlanner(calibration: try $0()) }

    /// ``PathPlanner`` for the accumulated deviation of the path.
    public static let pathDeviation = PlannerKind("path-deviation", forecaster: .best) {
        PathPlanner(calibration: try $0(), objective: .path)
    }
}
