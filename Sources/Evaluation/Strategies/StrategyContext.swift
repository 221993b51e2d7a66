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
        var run = try sampler.start(item, wrap: wrap)
        while goesOn(), try run.next() != nil {}
        return run.latents
    }

    /// The error of the calibration images under `strategy`, whose settings are the full run's: the sum of |x − x'|².
    func finalError(of strategy: PreparedStrategy) throws -> Double {
        try recorded().reduce(0) { sum, run in
            let latents = try sample(run.item, wrap: strategy.wrap)
            return zip(latents.elements, run.latents.elements).reduce(sum) { sum, pair in
                let difference = Double(pair.0 - pair.1)
                return sum + difference * difference
            }
        }
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
