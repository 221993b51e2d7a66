import Caching
import Pipeline

/// Where a plan comes from: options, or a file.
enum ReuseSource {
    case options(CacheOptions)
    case file(PlanFile, path: String)

    /// A plan's file, or options, but not both.
    ///
    /// - Throws: `PipelineError` when both are given, or the file is not a plan.
    init(plan path: String?, options: CacheOptions) throws {
        guard let path else {
            self = .options(options)
            return
        }
        if let given = options.given {
            throw PipelineError.usage("--plan \(path) and \(given) both say what to reuse; drop one")
        }
        self = .file(try PlanFile(path: path), path: path)
    }

    /// The settings that a plan's file is for.
    var settings: SampleSettings? {
        guard case .file(let file, _) = self else { return nil }
        return file.settings
    }

    /// The same with a budget that was chosen for the goal that the options name, which is told.
    func settled(
        in session: ModelSession, settings: SampleSettings, calibration: StoredCalibration, decoder: DecoderSource?
    ) throws -> ReuseSource {
        guard case .options(let options) = self else { return self }
        return .options(
            try options.settled(in: session, settings: settings, calibration: calibration, decoder: decoder))
    }

    /// The plan of a run.
    ///
    /// - Parameters:
    ///   - model: the model.
    ///   - settings: the run's settings.
    ///   - schedule: the run's model calls.
    ///   - like: the image to sample again, whose plan is used if no other is asked for.
    ///   - span: what the budget is a budget of.
    ///   - calibration: what planners and forecasters need.
    /// - Returns: nil when nothing is reused.
    /// - Throws: `PipelineError` or `PlanError` when the plan does not fit the run, or cannot be made.
    func resolve(
        model: ImageRecord.Model, settings: SampleSettings, schedule: RunSchedule, like: ImageRecord?,
        span: BudgetSpan = .image, calibration: any CalibrationSource
    ) throws -> ReuseRecord? {
        switch self {
        case .file(let file, let path):
            if span == .batch {
                throw PipelineError.usage(
                    "--plan \(path): the plan is the same for every image; drop --budget-over batch")
            }
            try file.check(model: model, settings: settings, schedule: schedule, path: path)
            return file.reuse
        case .options(let options):
            if var request = try options.request(inheriting: like?.reuse) {
                request.isOverBatch = span == .batch
                return try PlanResolver(schedule: schedule, calibration: calibration).resolve(request)
            }
            guard span == .image else {
                throw PipelineError.usage("--budget-over batch needs a budget; give --budget, such as 0.33")
            }
            guard let like, let reuse = like.reuse else { return nil }
            guard like.settings == settings else {
                throw PipelineError.usage(
                    "--like: the image's plan is for other sampling settings; give --budget for a new plan, or --budget 1 to "
                        + "reuse nothing")
            }
            _ = try reuse.forecaster(for: schedule)
            return reuse
        }
    }
}

extension CacheOptions {
    /// The same with a budget that was chosen for ``goal``, which is told.
    ///
    /// - Throws: `PipelineError.usage` for options that exclude each other, and where the goal cannot be had.
    func settled(
        in session: ModelSession, settings: SampleSettings, calibration: StoredCalibration, decoder: DecoderSource?
    ) throws -> CacheOptions {
        try checkGoal()
        guard let goal else { return self }
        let chosen = try session.budget(for: goal, settings: settings, calibration: calibration, decoder: decoder)
        calibration.tell(chosen.reason)
        return with(budget: chosen.budget)
    }
}
