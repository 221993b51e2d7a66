import Caching

/// Where what planners and forecasters must know of a model comes from.
public protocol CalibrationSource {
    /// The calibration, made if there is none.
    ///
    /// - Throws: ``PlanError/needsCalibration(_:)``, or why there is none.
    func calibration() throws -> Calibration

    /// The calibration if there is one already.
    ///
    /// - Throws: Why it cannot be read.
    func knownCalibration() throws -> Calibration?

    /// Tells the user one line about what is used.
    func tell(_ text: String)

    /// A forecaster for the gaps of `plan`, with its coefficients.
    ///
    /// - Throws: ``PlanError/needsCalibration(_:)``, or why there is no calibration.
    func forecaster(_ name: ForecasterChoice.CalibratedForecaster, for plan: ReusePlan) throws -> Forecaster

    /// The best forecaster for the gaps of `plan` that can be had without fitting one.
    ///
    /// - Throws: ``PlanError/needsCalibration(_:)``, or why there is no calibration.
    func bestForecaster(for plan: ReusePlan) throws -> Forecaster
}

/// No calibration at all: refuses whatever needs one.
public struct NoCalibration: CalibrationSource {
    public init() {}

    private var missing: PlanError {
        .needsCalibration(
            "this needs a calibration of the model, and there is none; --planner uniform and --forecaster taylor:2 do "
                + "without")
    }

    public func calibration() throws -> Calibration { throw missing }

    public func knownCalibration() -> Calibration? { nil }

    public func tell(_ text: String) {}

    public func forecaster(
        _ name: ForecasterChoice.CalibratedForecaster, for plan: ReusePlan
    ) throws -> Forecaster {
        throw missing
    }

    public func bestForecaster(for plan: ReusePlan) throws -> Forecaster { throw missing }
}

/// Turns a request into the decisions and the forecaster of a run.
public struct PlanResolver {
    /// The planner where none is asked for and no search has chosen a plan.
    public static let defaultPlanner = PlannerKind.path
    /// The forecaster where none is asked for and the decisions came without a calibration.
    static let plainForecaster = Forecaster.taylor(order: 2, quantity: .clean, variable: .step)
    /// Runs of at most so many model calls are hard to make shorter: plans are only trusted where they have been tried.
    static let fewCalls = 25
    /// The forecaster where few calls are spaced evenly: a sampler that takes fewer steps does nearly the same.
    static let fewStepsForecaster = Forecaster.hold(quantity: .direction)

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
        let evaluations = request.budget?.evaluations(of: schedule.evaluations) ?? schedule.evaluations
        let wanted = PlanRequest(
            calls: schedule.calls, branches: schedule.branches, evaluations: evaluations, limits: request.limits)
        if request.isOverBatch { return try guarded(request, evaluations: evaluations) }
        let isUntried = try isUntried(request, wanted)
        let kind = isUntried ? .uniform : try kind(for: request, wanted)
        let planner = try request.mask.map { try MaskPlanner($0) } ?? kind.planner(calibration.calibration)
        let plan = try planner.plan(wanted)
        guard plan.evaluations < plan.fullEvaluations else { return nil }
        let forecaster =
            isUntried && request.forecaster == nil
            ? Self.fewStepsForecaster : try forecaster(for: plan, of: kind, in: request)
        if isUntried {
            calibration.tell(
                "so few steps are shared out evenly, which is as good as fewer steps; 'omnicache calibrate' with the same "
                    + "budget and options tries better plans")
        }
        let record = ReuseRecord(
            budget: request.budget, planner: planner.name, forecaster: forecaster, decisions: plan)
        _ = try record.forecaster(for: schedule)
        return record
    }

    /// The two plans that images choose between.
    private func guarded(_ request: ReuseRequest, evaluations: Int) throws -> ReuseRecord? {
        guard evaluations < schedule.evaluations else { return nil }
        guard request.planner == nil, request.mask == nil, request.forecaster == nil, request.limits == ReuseLimits()
        else {
            throw PipelineError.usage(
                "--budget-over batch follows the plans that 'omnicache calibrate --guard' has made; drop the options that choose "
                    + "others")
        }
        let choices = try calibration.calibration().choices
        guard let plans = choices.first(where: { $0.evaluations == evaluations })?.guarded else {
            throw PlanError.needsCalibration(
                "--budget-over batch: nothing is known about hard images at \(evaluations) evaluations; run 'omnicache calibrate "
                    + "--guard' with the same budget and options")
        }
        let record = ReuseRecord(
            budget: request.budget, planner: PlannerKind.search.rawValue,
            forecaster: try calibration.bestForecaster(for: plans.light), decisions: plans.light, rule: plans.rule,
            hard: ReuseRecord.Course(
                forecaster: try calibration.bestForecaster(for: plans.heavy), decisions: plans.heavy))
        _ = try record.forecaster(for: schedule)
        return record
    }

    /// Whether the run is so short that a plan can be worse than taking fewer steps, and none has been tried for it.
    private func isUntried(_ request: ReuseRequest, _ wanted: PlanRequest) throws -> Bool {
        guard request.planner == nil, request.mask == nil, request.budget?.share != 1,
            schedule.calls.count <= Self.fewCalls
        else { return false }
        let known = try calibration.knownCalibration()
        return known.map { !SearchedPlanner(calibration: $0).hasPlan(for: wanted) } ?? true
    }

    /// The planner that is asked for, or the default: what calibrating has chosen, if anything.
    private func kind(for request: ReuseRequest, _ wanted: PlanRequest) throws -> PlannerKind {
        // A budget of 1 leaves nothing to decide, and so nothing to calibrate.
        if request.budget?.share == 1 { return .uniform }
        if let planner = request.planner { return planner }
        guard request.mask == nil else { return Self.defaultPlanner }
        let searched = SearchedPlanner(calibration: try calibration.calibration())
        return searched.hasPlan(for: wanted) ? .search : Self.defaultPlanner
    }

    private func forecaster(
        for plan: ReusePlan, of kind: PlannerKind, in request: ReuseRequest
    ) throws -> Forecaster {
        switch request.forecaster {
        case .complete(let forecaster): return forecaster
        case .calibrated(let name): return try calibration.forecaster(name, for: plan)
        case nil: break
        }
        guard request.mask == nil else { return Self.plainForecaster }
        return switch kind.forecaster {
        case .plain: Self.plainForecaster
        case .omnicache: try calibration.forecaster(.omnicache, for: plan)
        case .best: try calibration.bestForecaster(for: plan)
        }
    }
}
