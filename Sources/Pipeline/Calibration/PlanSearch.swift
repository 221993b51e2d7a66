import Caching
import Compute
import Models
import Sampling

/// Chooses plans by what they do to images that are hard to keep.
///
/// Most images end where they should under any good plan. A few stand between two pictures in their early steps, and a
/// small error there turns them into the other one. Their full runs look like any other's, but their runs of very few
/// steps do not agree: how far two such runs end apart ranks images nearly as the errors of cached runs do. So the search
/// screens many images with two short runs each, keeps the hardest, and tries candidate plans on them in closed loop:
/// plans for usual images, for hard ones and for both, with more or less trust in the model to lead errors back. No
/// single rule among these wins on every model and budget.
public struct PlanSearch {
    /// The images that are screened for each one that is kept.
    static let screenedPerImage = 6
    /// The powers of the measured gain that are tried (``Calibration/raisingGain(to:)``).
    static let powers = [0, 0.33, 0.67, 1, 1.67]

    private let calibrator: Calibrator
    private let conditions: ConditionKind
    private let screening: [ImageSampler]

    /// Prepares to search.
    ///
    /// - Parameters:
    ///   - calibrator: For the same model and settings.
    ///   - directory: The model.
    ///   - network: Its network.
    ///   - settings: The settings to search plans for.
    ///   - workers: The threads to work with.
    /// - Throws: ``SamplingError`` or ``PipelineError`` when the settings do not fit the model.
    public init(
        calibrator: Calibrator, directory: ModelDirectory, network: any DenoisingNetwork, settings: SampleSettings,
        workers: Workers
    ) throws {
        self.calibrator = calibrator
        conditions = directory.config.conditions
        screening = try Self.screeningSteps(of: settings.steps).map { steps in
            var short = settings
            short.steps = steps
            // Without noise of its own, and with one call a step: two runs are to differ by their steps alone.
            short.sampler = SamplerOptions(defaultFor: directory.process)
            return try ImageSampler(directory: directory, network: network, settings: short, workers: workers)
        }
    }

    /// The steps of the two short runs, for runs of so many.
    static func screeningSteps(of steps: Int) -> [Int] { [max(2, steps / 10), max(3, steps / 7)] }

    /// The evaluations that ``hardest(_:beside:progress:)`` spends on so many images.
    public static func evaluationsToScreen(_ count: Int, steps: Int, branches: Int) -> Int {
        count * screenedPerImage * screeningSteps(of: steps).reduce(0, +) * branches
    }

    /// The most evaluations that ``choose(_:measurement:hard:tried:progress:)`` spends on one number of evaluations.
    public static func mostEvaluationsToChoose(_ evaluations: Int, images: Int) -> Int {
        (3 * powers.count + 2) * images * evaluations
    }

    /// The images whose short runs end farthest apart, the hardest first.
    ///
    /// - Parameters:
    ///   - count: How many to keep; ``screenedPerImage`` times as many are screened.
    ///   - others: How many of ``Calibrator/items(_:told:)`` are in use already.
    ///   - progress: Called with the evaluations of each step.
    /// - Returns: The images.
    /// - Throws: What the sampler throws, and what `progress` does.
    func hardest(_ count: Int, beside others: Int, progress: Calibrator.Progress) throws -> [SampleItem] {
        let screened = Calibrator.items(others + count * Self.screenedPerImage, told: conditions).dropFirst(others)
        let ranked = try screened.map { item in
            let ends = try screening.map { sampler in
                var run = try sampler.start(item)
                while try run.next() != nil { try progress(calibrator.schedule.branches.count) }
                try sampler.check(run.latents)
                return run.latents
            }
            return (item: item, distance: Self.distance(ends[0], ends[1]))
        }
        // The seeds settle ties, so that the choice is the same everywhere.
        return ranked.sorted { ($0.distance, $0.item.seed) > ($1.distance, $1.item.seed) }.prefix(count).map(\.item)
    }

    /// |a − b|² / |b|².
    private static func distance(_ a: Tensor, _ b: Tensor) -> Double {
        let norm = b.values.reduce(0.0) { $0 + Double($1) * Double($1) }
        return norm > 0 ? a.squaredDistance(to: b) / norm : 0
    }

    /// Tries candidate plans for each number of evaluations and chooses the one with the best score
    /// (``PlanChoice/score``).
    ///
    /// - Parameters:
    ///   - evaluations: What plans may spend.
    ///   - measurement: Hard images, then usual ones.
    ///   - hard: How many of them are hard.
    ///   - tried: Further hard images with their recorded full runs, which no plan has been made from.
    ///   - progress: Called with the evaluations of each step.
    /// - Returns: The best plans, with their errors.
    /// - Throws: ``PlanError/budgetTooSmall(planner:smallest:total:)``, what the sampler throws, and what `progress` does.
    func choose(
        _ evaluations: [Int], measurement: Calibrator.Measurement, hard: Int,
        tried: [Calibrator.RecordedImage], progress: Calibrator.Progress
    ) throws -> [PlanChoice] {
        let learnt = zip(measurement.items, measurement.references).prefix(hard).map { (item: $0, reference: $1) }
        let images = tried + learnt
        let planners = try planners(measurement, hard: hard)
        return try evaluations.map { evaluations in
            var best: PlanChoice?
            for plan in try plans(of: evaluations, by: planners) {
                // Fitting nothing to the plan, so that what is tried is the plan.
                let forecaster = try Forecaster.spectral(for: plan, calibration: measurement.calibration)
                let errors = try images.map { image in
                    try calibrator.error(
                        of: forecaster, for: plan, on: image.item, from: image.reference, progress: progress)
                }
                let choice = PlanChoice(evaluations: evaluations, plan: plan, errors: errors)
                if choice.score < best?.score ?? .infinity { best = choice }
            }
            guard let best else { preconditionFailure("the path planner has a plan or throws") }
            return best
        }
    }

    /// The path planners, which have a plan for every budget or throw, and others, which need not have one.
    private func planners(
        _ measurement: Calibrator.Measurement, hard: Int
    ) throws -> (path: [PathPlanner], others: [any Planner]) {
        let all = measurement.items.count
        let path = try [hard..<all, 0..<hard, 0..<all].flatMap { images in
            let calibration = try calibrator.calibration(from: measurement, images: images)
            return Self.powers.map { PathPlanner(calibration: calibration.raisingGain(to: $0)) }
        }
        return (path, [BalancedPlanner(calibration: measurement.calibration), UniformPlanner()])
    }

    /// The different plans of so many evaluations.
    private func plans(
        of evaluations: Int, by planners: (path: [PathPlanner], others: [any Planner])
    ) throws -> [ReusePlan] {
        let request = PlanRequest(
            calls: calibrator.schedule.calls, branches: calibrator.schedule.branches, evaluations: evaluations)
        let plans =
            try planners.path.map { try $0.plan(request) } + planners.others.compactMap { try? $0.plan(request) }
        return plans.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
}
