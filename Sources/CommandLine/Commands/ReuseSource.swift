import Caching
import Pipeline

/// Where the decisions about reuse come from: options, or a plan's file.
enum ReuseSource {
    case options(CacheOptions)
    case file(PlanFile, path: String)

    /// What was asked for: a plan's file, or options, but not both.
    ///
    /// - Throws: `PipelineError` when both are given, or the file holds no plan.
    init(plan path: String?, options: CacheOptions) throws {
        guard let path else {
            self = .options(options)
            return
        }
        if let given = options.given {
            throw PipelineError.usage("--plan \(path) has decided what is reused; drop it or \(given)")
        }
        self = .file(try PlanFile(path: path), path: path)
    }

    /// The settings that a plan's file is for.
    var settings: SampleSettings? {
        guard case .file(let file, _) = self else { return nil }
        return file.settings
    }

    /// Decides for a run.
    ///
    /// - Parameters:
    ///   - model: the model.
    ///   - settings: the run's settings.
    ///   - schedule: the run's model calls.
    ///   - like: the image to make again, whose decisions hold where no others are asked for.
    ///   - calibration: fills in planners and forecasters.
    /// - Returns: nil when nothing is reused.
    /// - Throws: `PipelineError` or `PlanError` when they do not fit the run, or cannot be made.
    func resolve(
        model: ImageRecord.Model, settings: SampleSettings, schedule: RunSchedule, like: ImageRecord?,
        calibration: any CalibrationSource
    ) throws -> ReuseRecord? {
        switch self {
        case .file(let file, let path):
            try file.check(model: model, settings: settings, schedule: schedule, path: path)
            return file.reuse
        case .options(let options):
            if let request = try options.request(inheriting: like?.reuse) {
                return try PlanResolver(schedule: schedule, calibration: calibration).resolve(request)
            }
            guard let like, let reuse = like.reuse else { return nil }
            guard like.settings == settings else {
                throw PipelineError.usage(
                    "--like: the image's reuse plan is for other sampling settings; give --budget to plan anew, 1 to "
                        + "reuse nothing")
            }
            _ = try reuse.forecaster(for: schedule)
            return reuse
        }
    }
}
