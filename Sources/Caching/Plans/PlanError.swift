/// Why there is no plan.
public enum PlanError: Error, Equatable, Sendable {
    /// The budget is not in (0, 1].
    case budgetOutOfRange(String)
    /// The planner's rules need more evaluations than the budget has; `smallest` of `total` would do.
    case budgetTooSmall(planner: String, smallest: Int, total: Int)
    /// A window or cap that cannot be.
    case invalidLimit(String)
    /// A mask or plan that does not fit the run.
    case doesNotFit(String)
    /// The planner or forecaster needs a calibration that is not there.
    case needsCalibration(String)
    /// A forecaster that does not exist, or whose parameters make no sense.
    case invalidForecaster(String)
}

extension PlanError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .budgetOutOfRange(let found):
            "budget \(found): give a number above 0 and at most 1, the share of evaluations to spend"
        case .budgetTooSmall(let planner, let smallest, let total):
            "budget too small for \(planner): it needs at least \(smallest) of \(total) evaluations here; "
                + Self.advice(planner, smallest, total)
        case .invalidLimit(let what), .doesNotFit(let what), .needsCalibration(let what), .invalidForecaster(let what):
            what
        }
    }

    /// The planners that have a plan for every budget that the limits on reuse allow.
    private static let thrifty = ["path", "path-deviation", "balanced", "uniform", "late"]

    private static func advice(_ planner: String, _ smallest: Int, _ total: Int) -> String {
        guard smallest < total else { return "these limits, or so short a run, leave nothing to reuse" }
        // Two evaluations, those of the first call, are always needed.
        let others = [
            smallest > 2 ? "wider limits on reuse" : nil,
            smallest <= 2 || thrifty.contains(planner) || planner.hasPrefix("fewer-steps")
                ? nil : "what may go lower (the planners path, balanced and uniform, or the strategy fewer-steps)",
        ].compactMap(\.self)
        return "give \(share(smallest, of: total)) or more" + others.map { ", or \($0)" }.joined()
    }

    /// The smallest decimal of three digits whose share of `total` is at least `count`.
    private static func share(_ count: Int, of total: Int) -> Double {
        (Double(count) / Double(total) * 1000 - 1e-9).rounded(.up) / 1000
    }
}
