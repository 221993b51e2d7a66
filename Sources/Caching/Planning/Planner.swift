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

/// A planner as it is asked for by name. A new one is a file, with its kind as an extension, and a line here.
public struct PlannerKind: RawRepresentable, CaseIterable, Equatable, Sendable {
    public static let allCases: [PlannerKind] = [
        .uniform, .late, .curvature, .path, .pathDeviation, .balanced, .search,
    ]

    /// What fills the gaps of a planner's plans where no forecaster is asked for.
    public enum DefaultForecaster: Sendable {
        /// One that needs no calibration.
        case plain
        /// The paper's correction.
        case omnicache
        /// The best that the calibration has.
        case best
    }

    /// The name on the command line and in files.
    public let rawValue: String
    /// What fills the gaps where no forecaster is asked for.
    public let forecaster: DefaultForecaster

    private let make: @Sendable (() throws -> Calibration) throws -> any Planner

    /// A kind.
    ///
    /// - Parameters:
    ///   - name: The name on the command line and in files.
    ///   - forecaster: What fills the gaps where no forecaster is asked for.
    ///   - make: Makes the planner; calls its argument if it needs a calibration.
    init(
        _ name: String, forecaster: DefaultForecaster = .plain,
        make: @escaping @Sendable (_ calibration: () throws -> Calibration) throws -> any Planner
    ) {
        rawValue = name
        self.forecaster = forecaster
        self.make = make
    }

    public init?(rawValue: String) {
        guard let known = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = known
    }

    /// The planner; calls `calibration`, and throws what it throws, if the planner needs one.
    public func planner(_ calibration: () throws -> Calibration) throws -> any Planner { try make(calibration) }

    public static func == (a: PlannerKind, b: PlannerKind) -> Bool { a.rawValue == b.rawValue }
}
