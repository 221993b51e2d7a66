import Caching
import Compute
import Glibc
import Models
import Sampling

/// Learns from a few full runs what planners and fitted forecasters need to know of a model and its settings.
///
/// ``measure(_:leavesOut:allDrift:progress:)`` samples each image once in full, and some of them a second time with every other
/// output held. ``fit(_:to:progress:)`` then walks all but the last ones through a plan, and tries what was fitted to these
/// on the last ones. The images stay in memory until then: of each, a state and two outputs per model call, and inner
/// products that grow with the square of the calls (8 MB with 50 guided ones, 200 MB with 250).
public final class Calibrator {
    /// The images where nothing else is asked for.
    public static let defaultSamples = 4
    /// The most images; ``items(_:told:)`` gives their seeds, which nothing else should use.
    public static let mostSamples = 1000

    /// Called with the evaluations of each step of the work; throws to abandon it.
    public typealias Progress = (_ evaluations: Int) throws -> Void

    /// What full runs have shown.
    public struct Measurement {
        /// What planners need.
        public let calibration: Calibration
        /// The images, with those that were left out.
        public let items: [SampleItem]
        /// The evaluations that it has cost.
        public let evaluations: Int
        /// What each image has shown.
        fileprivate let records: [Record]
        /// The recorded full runs.
        var references: [Trajectory] { records.map(\.reference) }
        /// How many of the images fits see, the first ones; the others check them.
        let fitted: Int
    }

    /// What the runs of one image have shown.
    fileprivate struct Record {
        let reference: Trajectory
        /// The inner products of its outputs as each of ``quantities``, and as directions.
        let outputs: [ForecastQuantity: TrajectoryGram]
        let directions: TrajectoryGram
        /// |z − z_ref|² of the run that holds every other output; nil where there was none.
        let drift: [Double]?
    }

    /// The band count of calibrations.
    static let bandCount = 8
    /// What can be forecast, the usual one first. Which does better depends on the model, the sampler and the steps: on the
    /// embedded model v does with 50 DDIM steps, and x0 with 10 or where the sampler adds noise.
    static let quantities: [ForecastQuantity] = [.velocity, .clean]

    private let sampler: ImageSampler
    let schedule: RunSchedule
    private let process: DiffusionProcess
    private let response: SamplerResponse
    private let conditions: ConditionKind

    /// Prepares to calibrate.
    ///
    /// - Throws: ``SamplingError`` or ``PipelineError`` when the settings do not fit the model.
    public init(directory: ModelDirectory, network: any DenoisingNetwork, settings: SampleSettings, workers: Workers)
        throws
    {
        sampler = try ImageSampler(directory: directory, network: network, settings: settings, workers: workers)
        schedule = try settings.schedule(for: directory)
        process = directory.process
        response = try SamplerResponse(settings.sampler, process: directory.process, steps: settings.steps)
        conditions = directory.conditions
    }

    /// Images to calibrate on: classes (or example prompts) spread over all, and seeds that count down from the largest, so
    /// that they are not those that users choose.
    public static func items(_ count: Int, told conditions: ConditionKind) -> [SampleItem] {
        (0..<count).map { index in
            // Halves, quarters, … of the classes: any number of images is spread.
            var (share, unit, rest) = (0.0, 0.5, index + 1)
            while rest > 0 {
                if !rest.isMultiple(of: 2) { share += unit }
                unit /= 2
                rest /= 2
            }
            return SampleItem(condition: conditions.condition(at: share), seed: UInt32.max - UInt32(index))
        }
    }

    /// How many of so many images are kept from fits, and check them: a quarter.
    public static func keptFromFits(_ samples: Int) -> Int { max(1, samples / 4) }

    /// The evaluations that ``measure(_:leavesOut:allDrift:progress:)`` will spend.
    public func evaluationsToMeasure(_ samples: Int, leavesOut: Bool) -> Int {
        Self.evaluationsToMeasure(samples, leavesOut: leavesOut, schedule: schedule)
    }

    /// The same for any run.
    public static func evaluationsToMeasure(
        _ samples: Int, leavesOut: Bool, allDrift: Bool = false, schedule: RunSchedule
    ) -> Int {
        samples * schedule.evaluations + (allDrift ? samples : (samples + 1) / 2) * driftPlan(schedule).evaluations
            + (leavesOut && samples == 1 ? schedule.evaluations : 0)
    }

    /// The evaluations that ``fit(_:to:progress:)`` will spend on one plan of so many evaluations.
    public static func evaluationsToFit(_ evaluations: Int, samples: Int) -> Int {
        let kept = keptFromFits(samples)
        return evaluations * (max(1, samples - kept) + kept * FitCheck.runs)
    }

    /// Samples the images and sums up what was seen.
    ///
    /// - Parameters:
    ///   - items: The images to learn from, the first of ``items(_:told:)``.
    ///   - leavesOut: Whether fits will follow, so that images have to be kept from them: the last ones, or one more where
    ///     there is only one.
    ///   - allDrift: Whether every image is sampled with every other output held, and not half of them.
    ///   - progress: Called with the evaluations of each step.
    /// - Returns: What was seen, with the recorded runs.
    /// - Throws: What the sampler throws, and what `progress` does.
    public func measure(
        _ items: [SampleItem], leavesOut: Bool = false, allDrift: Bool = false, progress: Progress
    ) throws -> Measurement {
        precondition(!items.isEmpty, "images to calibrate on")
        let checks = leavesOut && items.count == 1 ? [Self.items(2, told: conditions)[1]] : []
        let records = try items.enumerated().map { index, item in
            try measure(item, drifts: allDrift || index.isMultiple(of: 2), progress: progress)
        }
        return Measurement(
            calibration: summary(of: records, as: Self.quantities[0]), items: items + checks,
            evaluations: Self.evaluationsToMeasure(
                items.count, leavesOut: leavesOut, allDrift: allDrift, schedule: schedule),
            records: try records + checks.map { try measure($0, drifts: false, progress: progress) },
            fitted: leavesOut ? max(1, items.count - Self.keptFromFits(items.count)) : items.count)
    }

    private func measure(_ item: SampleItem, drifts: Bool, progress: Progress) throws -> Record {
        let reference = try record(item, progress: progress)
        return Record(
            reference: reference,
            outputs: Dictionary(
                uniqueKeysWithValues: Self.quantities.map {
                    ($0, TrajectoryGram(of: reference, as: $0, bandCount: Self.bandCount))
                }),
            directions: TrajectoryGram(of: reference, bandCount: Self.bandCount),
            drift: drifts ? try drift(item, from: reference, progress: progress) : nil)
    }

    /// The calibration from some of the images that were measured, by their places.
    ///
    /// - Parameters:
    ///   - measurement: What has been measured.
    ///   - images: The places of the images.
    ///   - weights: How much each of them counts, 1 on average; nil for all alike.
    ///   - quantity: What the outputs are taken as.
    /// - Returns: What planners and forecasters need.
    func calibration(
        from measurement: Measurement, images: some Sequence<Int>, weights: [Double]? = nil,
        as quantity: ForecastQuantity
    ) -> Calibration {
        summary(of: images.map { measurement.records[$0] }, weights: weights, as: quantity)
    }

    private func summary(
        of records: [Record], weights: [Double]? = nil, as quantity: ForecastQuantity
    ) -> Calibration {
        let weights = weights ?? records.map { _ in 1 }
        func sum(_ part: (Record) -> TrajectoryGram) -> TrajectoryGram {
            var sum = part(records[0]).weighted(by: weights[0])
            for (record, weight) in zip(records, weights).dropFirst() { sum.add(part(record).weighted(by: weight)) }
            return sum
        }
        var gain = ClosedLoopGain(calls: schedule.calls.count)
        for (record, weight) in zip(records, weights) {
            guard let drift = record.drift else { continue }
            gain.add(distances: drift.map { weight * $0 }, plan: driftPlan)
        }
        let geometry = DirectionGeometry(of: sum(\.directions), .guided, calls: schedule.calls)
        return Calibration(
            gram: sum { $0.outputs[quantity] ?? $0.directions }, quantity: quantity,
            predictionType: process.predictionType,
            response: response, stateGain: gain.values,
            path: Calibration.PathSeries(
                curvature: geometry.calls.map { $0.curvature ?? 0 },
                turningAngle: geometry.calls.map { $0.turningAngle ?? 0 },
                gamma: geometry.calls.map { $0.noiseGain ?? 0 }, change: geometry.calls.map { $0.noise ?? 0 }))
    }

    /// Fits the forecasters of a plan, steering in closed loop, and checks them on images that they have not seen.
    ///
    /// - Parameters:
    ///   - plan: What runs will evaluate.
    ///   - measurement: Full runs of the images, some of which were left out.
    ///   - progress: Called with the evaluations of each step.
    /// - Returns: How far each forecaster leaves the images from their full runs; ``FitCheck/best`` is for this plan only.
    /// - Throws: ``PlanError/doesNotFit(_:)``, what the sampler throws, and what `progress` does.
    public func fit(_ plan: ReusePlan, to measurement: Measurement, progress: Progress) throws -> FitCheck {
        let trials = PlanTrials(calibrator: self, measurement: measurement, folds: [measurement.fold])
        let quantity = Self.quantities[0]
        let fillings: [PlanTrials.Filling] = [
            .complete(PlanResolver.plainForecaster), .spectral(quantity), .steering(quantity),
        ]
        return FitCheck(
            try fillings.map { filling in
                let trial = try trials.trial(
                    of: PlanTrials.Candidate(plan: plan, filling: filling), progress: progress)
                return FitCheck.Candidate(forecaster: trial.forecaster, error: trial.error)
            })
    }

    /// The final latents of an image under a plan.
    func end(
        of item: SampleItem, under plan: ReusePlan, _ forecaster: Forecaster, progress: Progress
    ) throws -> Tensor {
        var run = try sampler.start(item) { base in
            CachedDenoiser(base, predictionType: process.predictionType, plan: plan, forecaster: forecaster)
        }
        while let step = try run.next() { try progress(plan.evaluated[step.index].count) }
        return run.latents
    }

    /// What a guard sees of an image (``GuardRule``) that begins under `plan`; nil where it sees nothing.
    func change(
        of item: SampleItem, under plan: ReusePlan, _ forecaster: Forecaster, until call: Int, progress: Progress
    ) throws -> Double? {
        let rule = GuardRule(call: call, threshold: .greatestFiniteMagnitude)
        var cache: CachedDenoiser?
        var run = try sampler.start(item) { base in
            let denoiser = CachedDenoiser(
                base, predictionType: process.predictionType, plan: plan, forecaster: forecaster,
                planGuard: PlanGuard(rule: rule, plan: plan, forecaster: forecaster))
            cache = denoiser
            return denoiser
        }
        for index in 0...call where try run.next() != nil { try progress(plan.evaluated[index].count) }
        return cache?.change
    }

    /// Fits the steering forecaster of a plan to some of the measured images, by their places.
    ///
    /// - Parameters:
    ///   - plan: What the runs evaluate.
    ///   - measurement: What has been measured.
    ///   - images: The places of the images.
    ///   - calibration: From these images; its quantity is what is forecast.
    ///   - ridge: Pulls towards the spectral weights (``SteeringFit``).
    ///   - progress: Called with the evaluations of each step.
    /// - Returns: The forecaster, for this plan only.
    /// - Throws: ``PlanError/doesNotFit(_:)``, what the sampler throws, and what `progress` does.
    func steer(
        _ plan: ReusePlan, by measurement: Measurement, images: [Int], calibration: Calibration, ridge: Double,
        progress: Progress
    ) throws -> Forecaster {
        let fit = try SteeringFit(
            plan: plan, calibration: calibration, references: images.map { measurement.references[$0] }, ridge: ridge)
        var denoisers: [CachedDenoiser] = []
        var runs = try images.map { image in
            try sampler.start(measurement.items[image]) { base in
                let denoiser = CachedDenoiser(
                    base, predictionType: process.predictionType, plan: plan, forecaster: fit.start)
                denoisers.append(denoiser)
                return denoiser
            }
        }
        for call in schedule.calls {
            for run in runs {
                _ = try run.evaluate()
                try progress(plan.evaluated[call.index].count)
            }
            fit.fit(at: call, runs: runs, denoisers: denoisers)
            for index in runs.indices { _ = runs[index].advance() }
        }
        return fit.forecaster
    }

    /// A full run, recorded.
    func record(_ item: SampleItem, progress: Progress) throws -> Trajectory {
        var run = try sampler.start(item)
        let trajectory = Trajectory(of: run, predictionType: process.predictionType)
        while let step = try run.next() {
            trajectory.record(step, of: run)
            try progress(schedule.branches.count)
        }
        try sampler.check(run.latents)
        return trajectory
    }

    /// |z − z_ref|² before each call and after the last, in a run that holds every other output.
    private func drift(_ item: SampleItem, from reference: Trajectory, progress: Progress) throws -> [Double] {
        let plan = driftPlan
        var run = try sampler.start(item) { base in
            CachedDenoiser(
                base, predictionType: process.predictionType, plan: plan,
                forecaster: .hold(quantity: .clean))
        }
        var distances = [0.0]
        while let step = try run.next() {
            distances.append(
                reference.squaredDistance(
                    to: run.latents, at: step.index + 1, pathScale: step.call.levelAfter.pathScale))
            try progress(plan.evaluated[step.index].count)
        }
        return distances
    }

    private var driftPlan: ReusePlan { Self.driftPlan(schedule) }

    private static func driftPlan(_ schedule: RunSchedule) -> ReusePlan {
        ClosedLoopGain.plan(calls: schedule.calls.count, branches: schedule.branches)
    }
}
