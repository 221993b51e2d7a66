import Caching
import Pipeline
import Sampling

/// What images of a request share: settings, and what is reused under them.
struct SampleVariant: Sendable {
    let settings: SampleSettings
    /// Evaluations of one image when nothing is reused.
    let evaluationsFull: Int
    /// What is reused; nil when nothing is.
    let reuse: ReuseRecord?
    /// What fills the gaps; nil when there are none.
    private let forecaster: Forecaster?

    /// Evaluations of one image.
    var evaluations: Int { reuse?.evaluations ?? evaluationsFull }

    /// Checks the settings against the model; makes a calibration if one is needed and `calibrates` allows it.
    init(
        session: ModelSession, settings: SampleSettings, reuse source: ReuseSource, calibrates: Bool,
        like: ImageRecord? = nil
    ) throws {
        self.settings = settings
        let schedule = try settings.schedule(for: session.directory)
        evaluationsFull = schedule.evaluations
        let reuse = try source.resolve(
            model: session.directory.reference(), settings: settings, schedule: schedule, like: like,
            calibration: session.calibration(for: settings, makes: calibrates))
        self.reuse = reuse
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
