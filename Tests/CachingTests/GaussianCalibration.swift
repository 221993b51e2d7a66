import Compute
import Sampling
import Testing

@testable import Caching

/// Calibrations of runs on Gaussian data.
struct GaussianCalibration {
    let setup: GaussianRun
    let references: [Trajectory]
    let calibration: Calibration

    /// Samples `seeds` images and measures.
    init(_ setup: GaussianRun, seeds: Range<UInt32>, quantity: ForecastQuantity = .clean, bands: Int = 4) throws {
        self.setup = setup
        var grams: TrajectoryGram?
        var gain: ClosedLoopGain?
        references = try seeds.map { try Self.record(setup, seed: $0) }
        for (seed, reference) in zip(seeds, references) {
            let gram = TrajectoryGram(of: reference, as: quantity, bandCount: bands)
            if grams == nil { grams = gram } else { grams?.add(gram) }
            var measured = gain ?? ClosedLoopGain(calls: reference.calls.count)
            let plan = ClosedLoopGain.plan(calls: reference.calls.count, branches: reference.branches)
            measured.add(distances: try Self.distances(setup, seed: seed, reference: reference, plan: plan), plan: plan)
            gain = measured
        }
        let process = try Self.process(setup)
        let count = references[0].calls.count
        let nothing = [Double](repeating: 0, count: count)
        calibration = Calibration(
            gram: try #require(grams), quantity: quantity, predictionType: setup.type,
            response: try SamplerResponse(setup.options, process: process, steps: setup.steps),
            stateGain: try #require(gain).values,
            path: Calibration.PathSeries(curvature: nothing, turningAngle: nothing, gamma: nothing, change: nothing))
    }

    static func process(_ setup: GaussianRun) throws -> DiffusionProcess {
        try setup.type == .flow
            ? DiffusionProcess(Flow(shift: 1))
            : DiffusionProcess(setup.type, betas: .linear(start: 0.0001, end: 0.02))
    }

    static func record(_ setup: GaussianRun, seed: UInt32) throws -> Trajectory {
        var setup = setup
        setup.seed = seed
        var run = try setup.start()
        let trajectory = Trajectory(of: run, predictionType: setup.type)
        while let step = try run.next() { trajectory.record(step, of: run) }
        return trajectory
    }

    /// The run of `seed` under a plan.
    static func start(
        _ setup: GaussianRun, seed: UInt32, plan: ReusePlan, forecaster: Forecaster
    ) throws -> (run: SamplingRun, denoiser: CachedDenoiser) {
        var setup = setup
        setup.seed = seed
        let denoiser = CachedDenoiser(
            setup.denoiser(), predictionType: setup.type, plan: plan, forecaster: forecaster)
        return (try setup.start(denoiser), denoiser)
    }

    /// The steering forecaster of a plan, fitted to the measured images.
    func steering(_ plan: ReusePlan, seeds: Range<UInt32>) throws -> Forecaster {
        let fit = try SteeringFit(plan: plan, calibration: calibration, references: references)
        var pairs = try seeds.map { try Self.start(setup, seed: $0, plan: plan, forecaster: fit.start) }
        for call in references[0].calls {
            for pair in pairs { _ = try pair.run.evaluate() }
            fit.fit(at: call, runs: pairs.map(\.run), denoisers: pairs.map(\.denoiser))
            for index in pairs.indices { _ = pairs[index].run.advance() }
        }
        return fit.forecaster
    }

    private static func distances(
        _ setup: GaussianRun, seed: UInt32, reference: Trajectory, plan: ReusePlan
    ) throws -> [Double] {
        var distances = [0.0]
        var (run, _) = try start(setup, seed: seed, plan: plan, forecaster: .hold(quantity: .clean))
        while let step = try run.next() {
            distances.append(
                reference.squaredDistance(
                    to: run.latents, at: step.index + 1, pathScale: step.call.levelAfter.pathScale))
        }
        return distances
    }

    /// The squared error of the final state of `seed` under a plan.
    func error(seed: UInt32, plan: ReusePlan, spec: Forecaster) throws -> Double {
        let reference = try Self.record(setup, seed: seed)
        var (run, _) = try Self.start(setup, seed: seed, plan: plan, forecaster: spec)
        while try run.next() != nil {}
        return reference.squaredDistance(
            to: run.latents, at: reference.calls.count, pathScale: reference.calls.last?.levelAfter.pathScale ?? 1)
    }
}
