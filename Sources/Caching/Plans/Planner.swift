import Sampling

/// Decides, before a run, which evaluations it will spend.
///
/// A plan never spends more than the request's evaluations, keeps the request's limits, and evaluates every branch at
/// the first call (there is nothing to reuse yet).
public protocol Planner: Sendable {
    /// The name on the command line.
    var name: String { get }

    /// Makes the plan.
    ///
    /// - Throws: ``PlanError/budgetTooSmall(planner:smallest:total:)`` when the planner's own rules or the limits need
    ///   more evaluations than the request has; another ``PlanError`` when something else is missing.
    func plan(_ request: PlanRequest) throws(PlanError) -> ReusePlan
}

/// What a plan is asked for.
public struct PlanRequest: Sendable {
    /// The run's model calls, in order.
    public let calls: [ModelCall]
    /// The run's branches.
    public let branches: GuidanceBranches
    /// The most evaluations that may be spent.
    public let evaluations: Int
    /// What holds for every planner.
    public let limits: ReuseLimits

    /// Joins the parts; `evaluations` above the full run's count as those.
    public init(
        calls: [ModelCall], branches: GuidanceBranches, evaluations: Int, limits: ReuseLimits = ReuseLimits()
    ) {
        self.calls = calls
        self.branches = branches
        self.evaluations = min(evaluations, calls.count * branches.count)
        self.limits = limits
    }

    /// The most calls at which all branches can be evaluated.
    public var fullCalls: Int { evaluations / branches.count }
}
