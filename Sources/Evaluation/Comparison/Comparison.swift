import Caching
import Compute
import Media
import Models
import Pipeline
import Sampling

/// Samples the same images uncached and under every strategy at every budget, and measures how they differ.
///
/// Image by image, the uncached run is followed at once by all others, in turns forwards and backwards, so that whatever
/// else the machine is doing hits all alike. Nothing is run twice.
public final class Comparison {
    /// How far the work has come.
    public struct Progress: Sendable {
        /// The strategy; nil for the uncached model.
        public let strategy: String?
        /// The budget; nil for the uncached model.
        public let budget: Budget?
        /// The image, from 0; nil while a strategy is made ready.
        public let pair: Int?
        /// The share of all evaluations that are done.
        public let share: Double
        /// Whether the image, or the preparation, is done.
        public let isDone: Bool
    }

    /// What came out.
    public struct Result: Sendable {
        /// The figures.
        public let report: ComparisonReport
        /// Some of the pictures.
        public let gallery: ComparisonGallery
    }

    private let directory: ModelDirectory
    private let decoder: any LatentDecoder
    private let request: ComparisonRequest
    private let context: StrategyContext
    private let workers: Workers
    private let network: any DenoisingNetwork
    private let evaluationsFull: Int
    /// The other precisions, each with its own network and calibrations.
    private let others: [StrategyContext]
    private var samplers: [ImageSampler] = []
    private var evaluationsPlanned = 0.0
    private var evaluationsDone = 0.0

    /// The same model in another precision.
    public struct Other {
        /// What multiplies, and how precisely.
        public let arithmetic: Arithmetic
        /// The model's network.
        public let network: any DenoisingNetwork
        /// Where its planners and forecasters come from.
        public let calibration: any CalibrationSource

        /// Joins the parts.
        public init(arithmetic: Arithmetic, network: any DenoisingNetwork, calibration: any CalibrationSource) {
            self.arithmetic = arithmetic
            self.network = network
            self.calibration = calibration
        }
    }

    /// A strategy at a budget, in a precision.
    private struct Entry {
        let strategy: String
        /// Nil for that of the uncached images that all are compared with.
        let other: Arithmetic?
        let budget: Budget
        let allowed: Int
        let prepared: PreparedStrategy?
        let needed: Int?
        var pairs: [PairMeasure] = []
    }

    /// Opens a comparison.
    ///
    /// - Parameters:
    ///   - directory: the model.
    ///   - network: its network.
    ///   - decoder: what makes the pictures that are compared.
    ///   - workers: the threads of a forward.
    ///   - request: what is compared.
    ///   - calibration: where planners and forecasters that know the model come from.
    ///   - others: the same model in other precisions, in which every strategy is tried as well.
    /// - Throws: ``SamplingError`` or ``PipelineError`` when the settings do not fit the model.
    public init(
        directory: ModelDirectory, network: any DenoisingNetwork, decoder: any LatentDecoder, workers: Workers,
        request: ComparisonRequest, calibration: any CalibrationSource = NoCalibration(), others: [Other] = []
    ) throws {
        func context(
            _ settings: SampleSettings, _ network: any DenoisingNetwork, _ calibration: any CalibrationSource
        ) throws -> StrategyContext {
            try StrategyContext(
                directory: directory, network: network, workers: workers, settings: settings,
                items: Calibrator.items(StrategyContext.mostItems, told: directory.conditions),
                calibration: calibration)
        }
        self.decoder = decoder
        self.context = try context(request.settings, network, calibration)
        self.others = try others.map { other in
            try context(request.settings.computed(by: other.arithmetic), other.network, other.calibration)
        }
        evaluationsFull = self.context.fullEvaluations
        self.directory = directory
        self.network = network
        self.workers = workers
        self.request = request
    }

    /// Does all of the work.
    ///
    /// - Parameter onProgress: called before a strategy is made ready and after every model call; what it throws ends the
    ///   work.
    /// - Returns: the figures and some of the pictures.
    /// - Throws: ``ComparisonError`` when a strategy has spent more than it was allowed; what preparing, sampling or
    ///   `onProgress` throws. A strategy that cannot reach a budget is no error.
    public func run(onProgress: (Progress) throws -> Void) throws -> Result {
        var entries = try prepare(onProgress)
        evaluationsDone = 0
        evaluationsPlanned = Double(
            request.items.count * entries.reduce(evaluationsFull) { $0 + ($1.prepared == nil ? 0 : $1.allowed) })
        var gallery = ComparisonGallery(pairs: request.items.count)
        var seconds: [Double] = []
        for pair in request.items.indices {
            let (latents, time) = try sample(pair, as: nil, onProgress)
            try sampler(for: request.settings).check(latents)
            let uncached = try UncachedImage(
                latents: latents, evaluations: evaluationsFull, seconds: time, decoder: decoder)
            seconds.append(time)
            gallery.add(clip(uncached.frames), of: pair, row: nil)
            let order = Array(entries.indices)
            for index in pair.isMultiple(of: 2) ? order : order.reversed() {
                guard let prepared = entries[index].prepared else { continue }
                let (latents, time) = try sample(pair, as: entries[index], onProgress)
                let spent = prepared.evaluationsSpent
                let allowed = prepared.mostEvaluations ?? entries[index].allowed
                guard spent <= Double(allowed) else {
                    throw ComparisonError.overBudget(
                        strategy: entries[index].strategy, item: request.items[pair], spent: spent,
                        allowed: allowed)
                }
                let (measure, frames) = try uncached.compare(
                    latents, evaluations: spent, seconds: request.measuresTime ? time : nil,
                    isAsPrecise: entries[index].other == nil)
                entries[index].pairs.append(measure)
                gallery.add(clip(frames), of: pair, row: index)
            }
        }
        return Result(report: report(entries, seconds: seconds), gallery: gallery)
    }

    /// Frames as they are shown.
    private func clip(_ frames: [Image]) -> Clip {
        Clip(frames, framesPerSecond: directory.framesPerSecond)
    }

    /// Makes every strategy ready for every budget.
    private func prepare(_ onProgress: (Progress) throws -> Void) throws -> [Entry] {
        let uncached = try others.map { other in
            Entry(
                strategy: Self.name("uncached", in: other.settings.arithmetic), other: other.settings.arithmetic,
                budget: try Budget(1), allowed: evaluationsFull,
                prepared: PreparedStrategy(settings: other.settings, evaluations: Double(evaluationsFull)), needed: nil)
        }
        return try uncached
            + request.budgets.flatMap { budget in
                try ([context] + others).flatMap { context in
                    try request.strategies.map { strategy in
                        try onProgress(
                            Progress(strategy: strategy.name, budget: budget, pair: nil, share: 0, isDone: false))
                        return try entry(strategy, budget, in: context)
                    }
                }
            }
    }

    private func entry(
        _ strategy: any ReuseStrategy, _ budget: Budget, in context: StrategyContext
    ) throws -> Entry {
        let other = context === self.context ? nil : context.settings.arithmetic
        var (prepared, needed): (PreparedStrategy?, Int?)
        do {
            prepared = try strategy.prepare(budget, in: context)
        } catch PlanError.budgetTooSmall(_, let smallest, _) {
            needed = smallest
        }
        return Entry(
            strategy: other.map { Self.name(strategy.name, in: $0) } ?? strategy.name, other: other, budget: budget,
            allowed: budget.evaluations(of: evaluationsFull), prepared: prepared, needed: needed)
    }

    /// What tables call a strategy in another precision.
    private static func name(_ strategy: String, in arithmetic: Arithmetic) -> String {
        "\(strategy), \(arithmetic.precision.rawValue)"
    }

    /// Samples one image.
    ///
    /// - Returns: the final latents, and the seconds from the initial noise to them.
    private func sample(
        _ pair: Int, as entry: Entry?, _ onProgress: (Progress) throws -> Void
    ) throws -> (latents: Tensor, seconds: Double) {
        let sampler = try sampler(for: entry?.prepared?.settings ?? request.settings)
        let weight = Double(entry?.allowed ?? evaluationsFull)
        func tell(_ done: Double, isDone: Bool = false) throws {
            try onProgress(
                Progress(
                    strategy: entry?.strategy, budget: entry?.budget, pair: pair,
                    share: min(1, (evaluationsDone + done * weight) / evaluationsPlanned), isDone: isDone))
        }
        let clock = ContinuousClock()
        let start = clock.now
        var run = try sampler.start(request.items[pair]) { entry?.prepared?.wrap($0) ?? $0 }
        while let step = try run.next() { try tell(Double(step.index + 1) / Double(step.count)) }
        let seconds = (clock.now - start) / .seconds(1)
        try tell(1, isDone: true)
        evaluationsDone += weight
        return (run.latents, seconds)
    }

    /// The sampler of these settings; strategies with the same settings share one.
    private func sampler(for settings: SampleSettings) throws -> ImageSampler {
        if let known = samplers.first(where: { $0.settings == settings }) { return known }
        let other = others.first { $0.settings.arithmetic == settings.arithmetic }
        let sampler = try ImageSampler(
            directory: directory, network: other?.network ?? network, settings: settings, workers: workers)
        samplers.append(sampler)
        return sampler
    }

    /// What the calibration says of the default's plan, which is the one that it was measured on.
    private func promise(of entry: Entry) -> ComparisonReport.Promise? {
        guard entry.strategy == PlannedStrategy.standard.name, let plan = entry.prepared?.plan,
            let calibration = try? context.calibration.knownCalibration(),
            calibration.choices.contains(where: { $0.evaluations == entry.allowed && $0.plan == plan })
        else { return nil }
        return QualityCurve(calibration).points.first { $0.evaluations == entry.allowed }?.promise
            .map { ComparisonReport.Promise($0, of: entry.pairs) }
    }

    private func report(_ entries: [Entry], seconds: [Double]) -> ComparisonReport {
        let reference = request.strategies[0].name
        let rows = entries.map { entry in
            let other = entries.first { $0.budget == entry.budget && $0.strategy == reference }
            let compares = entry.strategy != reference && other?.prepared != nil
            return ComparisonReport.Row(
                budget: entry.budget, strategy: entry.strategy, evaluationsAllowed: entry.allowed,
                evaluationsNeeded: entry.needed,
                summary: entry.prepared == nil
                    ? nil : ComparisonSummary(entry.pairs, reference: compares ? other?.pairs : nil),
                plan: entry.prepared?.plan, promise: promise(of: entry), pairs: entry.pairs)
        }
        return ComparisonReport(
            model: directory.reference(), settings: request.settings, items: request.items,
            calibrationItems: context.items, reference: reference, evaluationsFull: evaluationsFull,
            secondsFull: request.measuresTime ? Quartiles(unlessEmpty: seconds)?.median : nil,
            threads: request.measuresTime ? workers.count : nil, versions: .current, rows: rows)
    }
}

extension Comparison {
    /// What the files of a comparison are made of: its result, the model's classes, and the command that reproduces it.
    public typealias Content = (result: Result, classNames: ClassNames, command: String)

    /// `PREFIX.json`, with every figure of every pair, and `PREFIX.html`, for a person.
    ///
    /// - Throws: ``PipelineError/usage(_:)`` when the prefix names no file.
    public static func files(prefix: String, replaces: Bool) throws(PipelineError) -> ReportFiles<Content> {
        try ReportFiles(
            prefix: prefix, example: "comparison",
            kinds: [
                (".json", { $0.result.report.json }),
                (
                    ".html",
                    {
                        try $0.result.report.page(
                            gallery: $0.result.gallery, classNames: $0.classNames, command: $0.command
                        ).bytes()
                    }
                ),
            ], replaces: replaces)
    }
}

/// A strategy that has broken the one promise that every strategy makes.
public enum ComparisonError: Error, Equatable, Sendable, CustomStringConvertible {
    /// An image has cost more than the budget.
    case overBudget(strategy: String, item: SampleItem, spent: Double, allowed: Int)

    public var description: String {
        switch self {
        case .overBudget(let strategy, let item, let spent, let allowed):
            "\(strategy) has spent \(spent) evaluations where the budget allows \(allowed) (\(item.condition), seed "
                + "\(item.seed)); please report it, and leave \(strategy) out of --strategies"
        }
    }
}
