import Caching
import Compute
import Glibc
import Models
import Sampling

/// Learns from a few full runs what planners and fitted forecasters need to know of a model and its settings.
///
/// ``measure(_:leavesOut:progress:)`` samples each image once in full, and a second time with every other output held.
/// ``fit(_:to:progress:)`` then walks all but the last one through a plan, and tries what was fitted to these on the last
/// one. The images stay in memory until then: a state and two outputs per model call each.
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
        /// The images.
        public let items: [SampleItem]
        /// The evaluations that it has cost.
        public let evaluations: Int
        /// What each image has shown.
        fileprivate let records: [Record]
        /// The recorded full runs.
        var references: [Trajectory] { records.map(\.reference) }
        /// How many of the images fits see, the first ones.
        fileprivate let fitted: Int
        /// The calibration from these.
        fileprivate let seen: Calibration
        /// The full run of an image that no fit sees.
        fileprivate let leftOut: RecordedImage?
    }

    /// An image with its recorded full run.
    public typealias RecordedImage = (item: SampleItem, reference: Trajectory)

    /// What the runs of one image have shown.
    fileprivate struct Record {
        let reference: Trajectory
        /// The inner products of its outputs as ``quantity``, and as directions.
        let outputs: TrajectoryGram
        let directions: TrajectoryGram
        /// |z − z_ref|² of the run that holds every other output.
        let drift: [Double]
    }

    /// The band count of calibrations.
    static let bandCount = 8
    /// What is forecast: on the embedded model v did better than x0 at half of the evaluations, and about as well below.
    static let quantity = ForecastQuantity.velocity

    private let sampler: ImageSampler
    let schedule: RunSchedule
    private let process: DiffusionProcess
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
        conditions = directory.config.conditions
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

    /// The evaluations that ``measure(_:leavesOut:progress:)`` will spend.
    public func evaluationsToMeasure(_ samples: Int, leavesOut: Bool) -> Int {
        Self.evaluationsToMeasure(samples, leavesOut: leavesOut, schedule: schedule)
    }

    /// The same for any run.
    public static func evaluationsToMeasure(_ samples: Int, leavesOut: Bool, schedule: RunSchedule) -> Int {
        samples * (schedule.evaluations + driftPlan(schedule).evaluations)
            + (leavesOut && samples == 1 ? schedule.evaluations : 0)
    }

    /// The evaluations that ``fit(_:to:progress:)`` will spend on one plan of so many evaluations.
    public static func evaluationsToFit(_ evaluations: Int, samples: Int, checkedOn others: Int = 0) -> Int {
        evaluations * (max(1, samples - 1) + FitCheck.runs * (1 + others))
    }

    /// Samples the images and sums up what was seen.
    ///
    /// - Parameters:
    ///   - items: The images to learn from, the first of ``items(_:told:)``.
    ///   - leavesOut: Whether fits will follow, so that an image has to be kept from them: the last one, or one more
    ///     where there is only one.
    ///   - progress: Called with the evaluations of each step.
    /// - Returns: What was seen, with the recorded runs.
    /// - Throws: What the sampler throws, and what `progress` does.
    public func measure(
        _ items: [SampleItem], leavesOut: Bool = false, progress: Progress
    ) throws -> Measurement {
        precondition(!items.isEmpty, "images to calibrate on")
        let records = try items.map { item in
            let reference = try record(item, progress: progress)
            return Record(
                reference: reference,
                outputs: TrajectoryGram(of: reference, as: Self.quantity, bandCount: Self.bandCount),
                directions: TrajectoryGram(of: reference, bandCount: Self.bandCount),
                drift: try drift(item, from: reference, progress: progress))
        }
        let fitted = leavesOut ? max(1, items.count - 1) : items.count
        var leftOut: RecordedImage?
        if leavesOut {
            if fitted < items.count {
                leftOut = (items[items.count - 1], records[items.count - 1].reference)
            } else {
                let item = Self.items(2, told: conditions)[1]
                leftOut = (item, try record(item, progress: progress))
            }
        }
        return Measurement(
            calibration: try summary(of: records[...]), items: items,
            evaluations: evaluationsToMeasure(items.count, leavesOut: leavesOut), records: records, fitted: fitted,
            seen: try summary(of: records.prefix(fitted)), leftOut: leftOut)
    }

    /// The calibration from some of the images that were measured.
    func calibration(from measurement: Measurement, images: Range<Int>) throws -> Calibration {
        try summary(of: measurement.records[images])
    }

    private func summary(of records: ArraySlice<Record>) throws -> Calibration {
        func sum(_ part: (Record) -> TrajectoryGram) -> TrajectoryGram {
            var sum = part(records[records.startIndex])
            for record in records.dropFirst() { sum.add(part(record)) }
            return sum
        }
        var gain = ClosedLoopGain(calls: schedule.calls.count)
        for record in records { gain.add(distances: record.drift, plan: driftPlan) }
        let geometry = DirectionGeometry(of: sum(\.directions), .guided, calls: schedule.calls)
        return Calibration(
            gram: sum(\.outputs), quantity: Self.quantity, predictionType: process.predictionType,
            response: try SamplerResponse(
                sampler.settings.sampler, process: process, steps: sampler.settings.steps),
            stateGain: gain.values,
            path: Calibration.PathSeries(
                curvature: geometry.calls.map { $0.curvature ?? 0 },
                turningAngle: geometry.calls.map { $0.turningAngle ?? 0 },
                gamma: geometry.calls.map { $0.noiseGain ?? 0 }, change: geometry.calls.map { $0.noise ?? 0 }))
    }

    /// Fits the forecasters of a plan, steering in closed loop, and checks them on images that they have not seen.
    ///
    /// - Parameters:
    ///   - plan: What runs will evaluate.
    ///   - measurement: Full runs of the images, one of which was left out.
    ///   - others: Further images to check on, with their recorded full runs.
    ///   - progress: Called with the evaluations of each step.
    /// - Returns: How far each forecaster leaves the images from their full runs; ``FitCheck/best`` is for this plan only.
    /// - Throws: ``PlanError/doesNotFit(_:)``, what the sampler throws, and what `progress` does.
    public func fit(
        _ plan: ReusePlan, to measurement: Measurement, checkedOn others: [RecordedImage] = [], progress: Progress
    ) throws -> FitCheck {
        guard let leftOut = measurement.leftOut else { preconditionFailure("fits are checked") }
        let candidates = [
            PlanResolver.plainForecaster,
            try .spectral(for: plan, calibration: measurement.seen),
            try steer(plan, by: measurement, progress: progress),
        ]
        return FitCheck(
            try candidates.map { candidate in
                let errors = try ([leftOut] + others).map { image in
                    try error(
                        of: candidate, for: plan, on: image.item, from: image.reference, progress: progress)
                }
                return FitCheck.Candidate(
                    forecaster: candidate, error: exp(errors.reduce(0) { $0 + log($1) } / Double(errors.count)))
            })
    }

    /// The relative error |z − z_ref|/|z_ref| of the final state of an image; infinite for a run that diverges.
    func error(
        of forecaster: Forecaster, for plan: ReusePlan, on item: SampleItem, from reference: Trajectory,
        progress: Progress
    ) throws -> Double {
        var run = try sampler.start(item) { base in
            CachedDenoiser(base, predictionType: process.predictionType, plan: plan, forecaster: forecaster)
        }
        while let step = try run.next() { try progress(plan.evaluated[step.index].count) }
        let error = reference.relativeError(ofFinal: run.latents)
        return error.isFinite ? error : .infinity
    }

    /// Fits the steering forecaster of a plan to the measured images.
    private func steer(
        _ plan: ReusePlan, by measurement: Measurement, progress: Progress
    ) throws -> Forecaster {
        let fit = try SteeringFit(
            plan: plan, calibration: measurement.seen,
            references: measurement.records.prefix(measurement.fitted).map(\.reference))
        var denoisers: [CachedDenoiser] = []
        var runs = try measurement.items.prefix(measurement.fitted).map { item in
            try sampler.start(item) { base in
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

/// How the forecasters of a plan did in closed loop on images that no fit has seen.
///
/// A fit can lead its own images well and others astray. So each has to be better than those below it, which know less
/// of the model and so have less to be wrong about: steering than spectral, spectral than one that was not fitted.
public struct FitCheck: Equatable, Sendable {
    /// The runs of each image.
    static let runs = 3

    /// A forecaster, and how far it leaves the images from their full runs.
    public struct Candidate: Equatable, Sendable {
        /// What fills the gaps.
        public let forecaster: Forecaster
        /// The relative error of the final state, the geometric mean over the images; infinite for a run that
        /// diverged.
        public let error: Double
    }

    /// The forecasters, the plainest first.
    public let candidates: [Candidate]

    /// A check of these, the plainest first; not empty.
    init(_ candidates: [Candidate]) {
        precondition(!candidates.isEmpty, "forecasters to check")
        self.candidates = candidates
    }

    /// The forecaster to use: that of the least error, and of two with the same the plainer one.
    public var best: Forecaster {
        candidates.dropFirst().reduce(candidates[0]) { $1.error < $0.error ? $1 : $0 }.forecaster
    }

    /// One line about a fit that is not used; nil if the last one is.
    public var warning: String? {
        guard let wanted = candidates.last, best != wanted.forecaster else { return nil }
        let errors = candidates.reversed().map { "\($0.forecaster.name) \(Self.rounded($0.error))" }
        return "\(wanted.forecaster.name) is not the best on images that no fit has seen, so \(best.name) is used "
            + "(relative errors: \(errors.joined(separator: ", ")))"
    }

    /// With four digits after the point.
    private static func rounded(_ error: Double) -> String { "\((error * 10_000).rounded() / 10_000)" }
}
