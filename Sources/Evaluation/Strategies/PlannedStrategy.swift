import Caching
import Pipeline

/// One of the project's own combinations: a planner that decides before the run, a forecaster that fills the gaps.
public struct PlannedStrategy: ReuseStrategy {
    /// What decides.
    public let planner: PlannerKind
    /// What fills the gaps.
    public let forecaster: ForecasterChoice

    public var name: String { "\(planner.rawValue)+\(forecasterText)" }

    /// The forecaster as it was asked for, parameters and all.
    private let forecasterText: String

    /// Joins a planner and a calibrated forecaster.
    init(planner: PlannerKind, forecaster: ForecasterChoice.CalibratedForecaster) {
        self.planner = planner
        self.forecaster = .calibrated(forecaster)
        forecasterText = forecaster.rawValue
    }

    /// Reads `PLANNER+FORECASTER`, such as `path+steering` or `uniform+taylor:2`; nil when one of the two does not exist.
    public init?(_ text: String) {
        let parts = text.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let planner = PlannerKind(rawValue: parts[0]),
            let forecaster = try? ForecasterChoice(parts[1])
        else { return nil }
        self.planner = planner
        self.forecaster = forecaster
        forecasterText = parts[1]
    }

    public func prepare(_ budget: Budget, in context: StrategyContext) throws -> any PreparedStrategy {
        let schedule = RunSchedule(calls: context.calls, branches: context.branches)
        let resolver = PlanResolver(schedule: schedule, calibration: context.calibration)
        let request = ReuseRequest(budget: budget, planner: planner, forecaster: forecaster)
        guard let reuse = try resolver.resolve(request) else {
            let plan = ReusePlan.full(calls: context.calls.count, branches: context.branches)
            return PlannedRun(plan: plan, forecaster: .hold(), in: context)
        }
        return PlannedRun(plan: reuse.decisions, forecaster: try reuse.forecaster(for: schedule), in: context)
    }
}
