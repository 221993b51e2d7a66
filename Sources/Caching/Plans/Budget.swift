import Sampling

/// The share of a full run's evaluations that may be spent, in (0, 1].
///
/// Read as a decimal: 0.29 of 100 evaluations is 29, although the binary number nearest to 0.29 times 100 is below it.
public struct Budget: Hashable, Sendable, Codable {
    /// The share.
    public let share: Double

    /// A budget from a number.
    ///
    /// - Throws: ``PlanError/budgetOutOfRange(_:)`` unless it is above 0 and at most 1.
    public init(_ share: Double) throws(PlanError) {
        guard share > 0, share <= 1 else { throw .budgetOutOfRange("\(share)") }
        self.share = share
    }

    public init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(Double.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(share)
    }

    /// The most evaluations that may be spent where the full run has `total`: floor(share · total).
    public func evaluations(of total: Int) -> Int {
        // A decimal of up to 12 digits times a run's length is a whole number to within 1e-9 when it is meant to be one.
        Int((share * Double(total) + 1e-9).rounded(.down))
    }
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

    /// Checks a plan that was not made under these limits.
    ///
    /// - Throws: ``PlanError/invalidLimit(_:)`` that names the first call outside the window, or the longest reuse.
    public func check(_ plan: ReusePlan) throws(PlanError) {
        let calls = plan.evaluated.indices
        if let call = calls.first(where: { plan.evaluated[$0] != plan.branches && !allowsReuse(at: $0, of: plan.calls) }
        ) {
            throw .invalidLimit(
                "model call \(call) is reused outside the window \(window.lowerBound):\(window.upperBound)")
        }
        guard let longestReuse else { return }
        for branch in [GuidanceBranches.conditional, .unconditional] where plan.branches.contains(branch) {
            let found = plan.longestReuse(of: branch)
            guard found <= longestReuse else {
                throw .invalidLimit("\(found) model calls in a row are reused, and at most \(longestReuse) may be")
            }
        }
    }
}
