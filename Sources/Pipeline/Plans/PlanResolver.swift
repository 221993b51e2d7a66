import Caching

/// Where planners and forecasters that know the model come from.
public protocol CalibrationSource {
    /// A planner, filled in.
    ///
    /// - Throws: ``PlanError/needsCalibration(_:)``, or why there is no calibration.
    func planner(_ name: PlannerName) throws -> any Planner

    /// A forecaster for the gaps of `plan`, filled in.
    ///
    /// - Throws: ``PlanError/needsCalibration(_:)``, or why there is no calibration.
    func forecaster(_ name: ForecasterChoice.CalibratedForecaster, for plan: ReusePlan) throws -> ForecasterSpec

    /// The best forecaster for the gaps of `plan` that is there already.
    ///
    /// - Throws: ``PlanError/needsCalibration(_:)``, or why there is no calibration.
    func bestForecaster(for plan: ReusePlan) throws -> ForecasterSpec
}

/// No calibration at all: says so to whoever needs one.
public struct NoCalibration: CalibrationSource {
    public init() {}

    public func planner(_ name: PlannerName) throws -> any Planner {
        throw PlanError.needsCalibration(
            "the \(name.rawValue) planner needs a calibration of the model, and there is none; --planner uniform does "
                + "without")
    }

    public func forecaster(
        _ name: ForecasterChoice.CalibratedForecaster, for plan: ReusePlan
    ) throws -> ForecasterSpec {
        throw PlanError.needsCalibration(
            "the \(name.rawValue) forecaster needs a calibration of the model, and there is none; --forecaster taylor:2 "
                + "does without")
    }

    public func bestForecaster(for plan: ReusePlan) throws -> ForecasterSpec {
        try forecaster(.spectral, for: plan)
    }
}

/// Makes of what was asked for the decisions and the forecaster of a run.
public struct PlanResolver {
    /// The planner where none is asked for.
    public static let defaultPlanner = PlannerName.path
    /// The forecaster where none is asked for and the decisions came without a calibration.
    static let plainForecaster =
        ForecasterSpec
        .taylor(order: 2, quantity: .clean, variable: .step)

    private let schedule: RunSchedule
    private let calibration: any CalibrationSource

    /// A resolver for runs of `schedule`.
    public init(schedule: RunSchedule, calibration: any CalibrationSource = NoCalibration()) {
        self.schedule = schedule
        self.calibration = calibration
    }

    /// Plans.
    ///
    /// - Returns: nil when nothing is reused, which is the unplanned run.
    /// - Throws: ``PlanError``, or what the calibration throws.
    public func resolve(_ request: ReuseRequest) throws -> ReuseRecord? {
        let planner = try planner(for: request)
        let evaluations = request.budget?.evaluations(of: schedule.evaluations) ?? schedule.evaluations
        let plan = try planner.plan(
            PlanRequest(
                calls: schedule.calls, branches: schedule.branches, evaluations: evaluations, limits: request.limits))
        guard plan.evaluations < plan.fullEvaluations else { return nil }
        let record = ReuseRecord(
            budget: request.budget, planner: planner.name,
            forecaster: try forecaster(for: plan, in: request), decisions: plan)
        _ = try record.forecaster(for: schedule)
        return record
    }

    private func planner(for request: ReuseRequest) throws -> any Planner {
        if let mask = request.mask { return try MaskPlanner(mask) }
        let name = request.planner ?? Self.defaultPlanner
        // A budget of 1 leaves nothing to decide, and so nothing to calibrate.
        if name == .uniform || request.budget.map({ $0.share == 1 }) ?? false { return UniformPlanner() }
        return try calibration.planner(name)
    }

    private func forecaster(for plan: ReusePlan, in request: ReuseRequest) throws -> ForecasterSpec {
        switch (request.forecaster, request.mask == nil ? request.planner ?? Self.defaultPlanner : nil) {
        case (.complete(let spec), _): spec
        case (.calibrated(let name), _): try calibration.forecaster(name, for: plan)
        case (nil, .path), (nil, .pathDeviation), (nil, .balanced): try calibration.bestForecaster(for: plan)
        case (nil, .curvature): try calibration.forecaster(.omnicache, for: plan)
        case (nil, .uniform), (nil, .late), (nil, nil): Self.plainForecaster
        }
    }
}
