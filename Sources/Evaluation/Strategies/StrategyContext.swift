import Caching
import Compute
import Models
import Pipeline
import Sampling

/// What strategies are prepared in: a model, the full run's settings, and images to calibrate on.
///
/// Full runs over the calibration images are made once, when a strategy first needs them, and shared by all.
public final class StrategyContext {
    /// The most calibration images that are used.
    public static let mostItems = 4

    /// The model directory.
    public let directory: ModelDirectory
    /// The full run's settings.
    public let settings: SampleSettings
    /// The calibration images.
    public let items: [SampleItem]
    /// The full run's model calls.
    public let calls: [ModelCall]
    /// The full run's branches.
    public let branches: GuidanceBranches
    /// What partial work costs.
    public let price: EvaluationPrice
    /// Where planners and forecasters that know the model come from.
    public let calibration: any CalibrationSource

    /// The network.
    public let network: any DenoisingNetwork
    private let workers: Workers
    private let sampler: ImageSampler
    private var recordings: [RecordedRun]?
    private var changes: SiteChanges?
    private var segmentErrors: [Segment: Double] = [:]

    /// Opens the context.
    ///
    /// - Parameters:
    ///   - directory: the model.
    ///   - network: its network.
    ///   - workers: the threads of a forward.
    ///   - settings: the full run's settings.
    ///   - items: images to calibrate on; the first ``mostItems`` are used.
    ///   - calibration: where planners and forecasters that know the model come from.
    /// - Throws: ``SamplingError`` or ``PipelineError`` when the settings do not fit the model.
    public init(
        directory: ModelDirectory, network: any DenoisingNetwork, workers: Workers, settings: SampleSettings,
        items: [SampleItem],
        calibration: any CalibrationSource = NoCalibration()
    ) throws {
        self.directory = directory
        self.network = network
        self.workers = workers
        self.settings = settings
        self.calibration = calibration
        self.items = Array(items.prefix(Self.mostItems))
        sampler = try ImageSampler(directory: directory, network: network, settings: settings, workers: workers)
        calls = try makeSampler(settings.sampler, process: directory.process, steps: settings.steps, shape: []).calls
        branches = try settings.guidance.branches
        price = EvaluationPrice(network, branches: branches.count)
    }

    /// The evaluations of the full run.
    public var fullEvaluations: Int { calls.count * branches.count }

    /// The full runs of the calibration images.
    ///
    /// - Throws: ``PlanError/needsCalibration(_:)`` when the context has no image; what keeps one from being sampled.
    func recorded() throws -> [RecordedRun] {
        if let recordings { return recordings }
        guard !items.isEmpty else { throw needsItems }
        let changes = SiteChanges(calls: calls.count)
        let runs = try items.map { item in
            let recorder = RunRecorder(changes: changes, calls: calls.count, network: network)
            return try RecordedRun(item, of: sampler.start(item, wrap: recorder.attach), watchedBy: recorder)
        }
        (recordings, self.changes) = (runs, changes)
        return runs
    }

    /// Says that a strategy is calibrated and there is nothing to calibrate it on.
    var needsItems: PlanError {
        .needsCalibration("this strategy is calibrated; give it at least one image to calibrate on")
    }

    /// How much the layers' outputs change over one to three calls, averaged over the calibration images.
    func siteChanges() throws -> SiteChanges {
        _ = try recorded()
        guard let changes else { preconditionFailure("recorded with the runs") }
        return changes
    }

    /// Samples `item` with the full run's settings.
    ///
    /// - Parameters:
    ///   - item: the image.
    ///   - goesOn: asked before each call; false abandons the image.
    ///   - wrap: puts a cache around the model.
    /// - Returns: the latents.
    /// - Throws: what the sampler or the denoiser throws.
    @discardableResult
    func sample(
        _ item: SampleItem, goesOn: () -> Bool = { true }, wrap: (NetworkDenoiser) -> any Denoiser
    ) throws -> Tensor {
        var run = try start(item, wrap: wrap)
        while goesOn(), try run.next() != nil {}
        return run.latents
    }

    /// Starts a run of `item` with the full run's settings; several may take turns.
    func start(_ item: SampleItem, wrap: (NetworkDenoiser) -> any Denoiser) throws -> SamplingRun {
        try sampler.start(item, wrap: wrap)
    }

    /// The error of the calibration images under `strategy`, whose settings are the full run's: the sum of |x − x'|².
    ///
    /// - Parameters:
    ///   - strategy: what the images are sampled with.
    ///   - limit: no image is begun once the sum is above it.
    /// - Returns: the error; the sum so far where it is above the limit.
    /// - Throws: what keeps an image from being sampled.
    func finalError(of strategy: PreparedStrategy, limit: Double = .infinity) throws -> Double {
        var sum = 0.0
        for run in try recorded() where !(sum > limit) {
            sum += try sample(run.item, wrap: strategy.wrap).squaredDistance(to: run.latents)
        }
        return sum
    }

    /// The setting that brings the calibration images nearest to their full runs, by ``finalError(of:limit:)``: how a
    /// setting is chosen that a strategy's authors have left free, or tuned for their own models.
    ///
    /// - Parameters:
    ///   - settings: the settings to choose from, the published one first. It is the answer where others are no better, and
    ///     where there is no image to tell by.
    ///   - prepare: the strategy with a setting.
    /// - Returns: the setting, and the strategy with it.
    /// - Throws: what `prepare` throws, or what keeps an image from being sampled.
    func best<Setting>(
        of settings: [Setting], prepare: (Setting) throws -> PreparedStrategy
    ) throws -> (setting: Setting, strategy: PreparedStrategy) {
        precondition(!settings.isEmpty, "one of no settings")
        var best = (setting: settings[0], strategy: try prepare(settings[0]))
        guard settings.count > 1, !items.isEmpty else { return best }
        var least = try finalError(of: best.strategy)
        for setting in settings.dropFirst() {
            let strategy = try prepare(setting)
            let error = try finalError(of: strategy, limit: least)
            // A run that has diverged has an error that is no number, which is not less.
            guard error < least || !least.isFinite && error.isFinite else { continue }
            (best, least) = ((setting, strategy), error)
        }
        return best
    }

    /// The error of the first calibration image's latents when the calls of `segment` after its first are reused and all
    /// others evaluated: mean |x − x'|.
    func segmentError(_ segment: Range<Int>, forecaster: Forecaster) throws -> Double {
        if segment.count == 1 { return 0 }
        let key = Segment(calls: segment, forecaster: forecaster.name, quantity: forecaster.quantity)
        if let known = segmentErrors[key] { return known }
        let plan = ReusePlan(
            steps: calls.indices.map { $0 == segment.lowerBound || !segment.contains($0) }, branches: branches)
        let run = try recorded()[0]
        let latents = try sample(run.item) { base in
            CachedDenoiser(
                ReplayDenoiser(base, recording: run, through: segment.lowerBound),
                predictionType: directory.process.predictionType, plan: plan, forecaster: forecaster)
        }
        let sums = AbsoluteSums(UnsafeBufferPointer(latents.values), UnsafeBufferPointer(run.latents.values))
        let error = withExtendedLifetime(latents) { sums.difference / Double(latents.count) }
        segmentErrors[key] = error
        return error
    }

    private struct Segment: Hashable {
        let calls: Range<Int>
        let forecaster: String
        let quantity: ForecastQuantity
    }
}
