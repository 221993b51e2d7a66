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

/// Where reuse is allowed, whatever the planner.
public struct ReuseLimits: Hashable, Sendable, Codable {
    /// The share of the run, counted in calls, in which reuse is allowed; outside everything is evaluated.
    public let window: ClosedRange<Double>
    /// The most calls in a row that a branch may be reused; nil for no cap.
    public let longestReuse: Int?

    /// - Throws: ``PlanError/invalidLimit(_:)`` for a window outside 0…1 or a cap below 1.
    public init(window: ClosedRange<Double>, longestReuse: Int?) throws(PlanError) {
        guard window.lowerBound >= 0, window.upperBound <= 1 else {
            throw .invalidLimit("the reuse window \(window.lowerBound):\(window.upperBound) must lie within 0:1")
        }
        if let longestReuse, longestReuse < 1 {
            throw .invalidLimit("reuse of at most \(longestReuse) steps in a row: give 1 or more, or --budget 1")
        }
        self.window = window
        self.longestReuse = longestReuse
    }

    /// No limits.
    public init() {
        window = 0...1
        longestReuse = nil
    }

    /// Whether call `call` of `count` may be reused: the first never, the others inside the window.
    public func allowsReuse(at call: Int, of count: Int) -> Bool {
        guard call > 0 else { return false }
        let (start, end) = (window.lowerBound * Double(count), window.upperBound * Double(count))
        return Double(call) >= start - 1e-9 && Double(call + 1) <= end + 1e-9
    }
}
