import Models
import OmniCache
import Sampling
import Tensor

/// Learns from a few full runs what planners and fitted forecasters need to know of a model and its settings.
///
/// ``measure(_:check:progress:)`` samples each image once in full, and a second time with every other output held; of the
/// image that checks it makes the full run alone. ``fit(_:to:progress:)`` then walks the same images through a plan, and
/// tries what was fitted on the image that no fit has seen. The images stay in memory until then: a state and two outputs
/// per model call each.
public final class Calibrator {
    /// The images where nothing else is asked for.
    public static let defaultSamples = 4
    /// The most images; nobody else should use their seeds, which ``items(_:told:)`` gives.
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
        fileprivate let references: [Trajectory]
        /// The full run of an image that nothing was learnt from.
        fileprivate let check: (item: SampleItem, reference: Trajectory)?
    }

    /// The band count of calibrations.
    static let bandCount = 8
    /// What is forecast: on the embedded model v did better than x0 at half of the evaluations, and about as well below.
    static let quantity = ForecastQuantity.velocity

    private let sampler: ImageSampler
    private let schedule: RunSchedule
    private let process: DiffusionProcess

    /// Prepares to calibrate.
    ///
    /// - Throws: ``SamplingError`` or ``PipelineError`` when the settings do not fit the model.
    public init(directory: ModelDirectory, network: any DenoisingNetwork, settings: SampleSettings, workers: Workers)
        throws
    {
        sampler = try ImageSampler(directory: directory, network: network, settings: settings, workers: workers)
        schedule = try settings.schedule(for: directory)
        process = directory.process
    }

    /// Images to calibrate on: classes (or example prompts) spread over all, seeds that count down from the largest, so that they do not meet
    /// those that people choose.
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

    /// How many of `samples` images are learnt from: all but the last one, which checks the fits.
    public static func learnt(of samples: Int) -> Int { max(1, samples - 1) }

    /// The evaluations that ``measure(_:check:progress:)`` will spend on `samples` images and, if `checks` says so, the
    /// one that checks.
    public func evaluationsToMeasure(_ samples: Int, checks: Bool) -> Int {
        Self.evaluationsToMeasure(samples, checks: checks, schedule: schedule)
    }

    /// The same for any run.
    public static func evaluationsToMeasure(_ samples: Int, checks: Bool, schedule: RunSchedule) -> Int {
        samples * (schedule.evaluations + driftPlan(schedule).evaluations) + (checks ? schedule.evaluations : 0)
    }

    /// The evaluations that ``fit(_:to:progress:)`` will spend on one plan of so many evaluations.
    public static func evaluationsToFit(_ evaluations: Int, samples: Int) -> Int {
        evaluations * (samples + FitCheck.runs)
    }

    /// Samples the images and sums up what was seen.
    ///
    /// - Parameters:
    ///   - items: The images to learn from.
    ///   - checked: An image to check fits on, which nothing is learnt from; nil where nothing will be fitted.
    ///   - progress: Called with the evaluations of each step.
    /// - Returns: What was seen, with the recorded runs.
    /// - Throws: What the sampler throws, and what `progress` does.
    public func measure(
        _ items: [SampleItem], check checked: SampleItem? = nil, progress: Progress
    ) throws -> Measurement {
        precondition(!items.isEmpty, "images to calibrate on")
        var references: [Trajectory] = []
        var (outputs, directions): (TrajectoryGram?, TrajectoryGram?)
        var gain = ClosedLoopGain(calls: schedule.calls.count)
        for item in items {
            let reference = try record(item, progress: progress)
            references.append(reference)
            Self.add(TrajectoryGram(of: reference, as: Self.quantity, bandCount: Self.bandCount), to: &outputs)
            Self.add(TrajectoryGram(of: reference, bandCount: Self.bandCount), to: &directions)
            gain.add(distances: try drift(item, from: reference, progress: progress), plan: driftPlan)
        }
        guard let outputs, let directions else { preconditionFailure("at least one image") }
        let check = try checked.map { (item: $0, reference: try record($0, progress: progress)) }
        let geometry = DirectionGeometry(of: directions, .guided, calls: schedule.calls)
        let calibration = Calibration(
            gram: outputs, quantity: Self.quantity, predictionType: process.predictionType,
            response: try SamplerResponse(sampler.settings.sampler, process: process, steps: sampler.settings.steps),
            stateGain: gain.values,
            path: Calibration.PathSeries(
                curvature: geometry.calls.map { $0.curvature ?? 0 },
                turningAngle: geometry.calls.map { $0.turningAngle ?? 0 },
                gamma: geometry.calls.map { $0.noiseGain ?? 0 }, change: geometry.calls.map { $0.noise ?? 0 }))
        return Measurement(
            calibration: calibration, items: items,
            evaluations: evaluationsToMeasure(items.count, checks: check != nil), references: references, check: check)
    }

    /// Fits the forecasters of a plan, steering in closed loop, and checks them on an image that they have not seen.
    ///
    /// - Parameters:
    ///   - plan: What runs will evaluate.
    ///   - measurement: Full runs of the images to fit to, and of one to check on.
    ///   - progress: Called with the evaluations of each step.
    /// - Returns: How far each forecaster leaves the image from its full run; ``FitCheck/best`` is for this plan only.
    /// - Throws: ``PlanError/doesNotFit(_:)``, what the sampler throws, and what `progress` does.
    public func fit(_ plan: ReusePlan, to measurement: Measurement, progress: Progress) throws -> FitCheck {
        guard let check = measurement.check else { preconditionFailure("fits are checked") }
        let candidates = [
            PlanResolver.plainForecaster,
            try SpectralFit.forecaster(for: plan, calibration: measurement.calibration),
            try steer(plan, by: measurement, progress: progress),
        ]
        return FitCheck(
            try candidates.map { candidate in
                FitCheck.Candidate(
                    forecaster: candidate,
                    error: try error(
                        of: candidate, for: plan, on: check.item, from: check.reference, progress: progress))
            })
    }

    /// The relative error |z − z_ref|/|z_ref| of the final state of an image; infinite for a run that diverges.
    private func error(
        of spec: ForecasterSpec, for plan: ReusePlan, on item: SampleItem, from reference: Trajectory,
        progress: Progress
    ) throws -> Double {
        let forecaster = try spec.forecaster(calls: schedule.calls)
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
    ) throws -> ForecasterSpec {
        let fit = try SteeringFit(
            plan: plan, calibration: measurement.calibration, references: measurement.references)
        let forecaster = try fit.start.forecaster(calls: schedule.calls)
        var denoisers: [CachedDenoiser] = []
        var runs = try measurement.items.map { item in
            try sampler.start(item) { base in
                let denoiser = CachedDenoiser(
                    base, predictionType: process.predictionType, plan: plan, forecaster: forecaster)
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

    private func record(_ item: SampleItem, progress: Progress) throws -> Trajectory {
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
                forecaster: HoldForecaster(quantity: .clean))
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

    private static func add(_ gram: TrajectoryGram, to sum: inout TrajectoryGram?) {
        if sum == nil { sum = gram } else { sum?.add(gram) }
    }
}
