import Caching

/// What images of a batch share: settings, and what is reused under them.
public struct SampleVariant: Sendable {
    /// The sampler, its steps and its guidance.
    public let settings: SampleSettings
    /// Evaluations of one image when nothing is reused.
    public let evaluationsFull: Int
    /// What is reused; nil when nothing is.
    public let reuse: ReuseRecord?
    private let forecaster: (any Forecaster)?

    /// Evaluations of one image.
    public var evaluations: Int { reuse?.evaluations ?? evaluationsFull }

    /// Checks settings and reuse against the run's `schedule`.
    ///
    /// - Throws: ``PlanError`` when the plan does not fit the schedule.
    public init(settings: SampleSettings, schedule: RunSchedule, reuse: ReuseRecord? = nil) throws(PlanError) {
        self.settings = settings
        self.reuse = reuse
        evaluationsFull = schedule.evaluations
        forecaster = try reuse?.forecaster(for: schedule)
    }

    /// The model with the cache around it and a clock on both sides; nil if nothing is reused.
    func timer(_ denoiser: NetworkDenoiser, of directory: ModelDirectory) -> ReuseTimer? {
        guard let reuse, let forecaster else { return nil }
        return ReuseTimer(denoiser) { timed in
            CachedDenoiser(
                timed, predictionType: directory.process.predictionType, plan: reuse.decisions, forecaster: forecaster)
        }
    }
}
