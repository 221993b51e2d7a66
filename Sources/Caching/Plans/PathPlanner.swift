import Sampling

/// The cheapest plan under a calibration (``PlanCost``): the best one for both branches alike, found by dynamic
/// programming over the last two full calls, then evaluations moved between calls and branches while that helps.
public struct PathPlanner: Planner {
    public var name: String { objective == .image ? "path" : "path-deviation" }
    /// What the plan is to be good for.
    public let objective: PlanObjective

    private let calibration: Calibration

    /// A planner for runs like those of `calibration`.
    public init(calibration: Calibration, objective: PlanObjective = .image) {
        self.calibration = calibration
        self.objective = objective
    }

    public func plan(_ request: PlanRequest) throws(PlanError) -> ReusePlan {
        guard request.calls.count == calibration.gram.calls, request.branches == calibration.gram.branches else {
            throw .doesNotFit("the calibration is for another number of model calls or for other guidance branches")
        }
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
