import Compute
import Sampling
import TestSupport
import Testing

@testable import Caching

/// Fits under samplers that clip the estimate of x0.
@Suite struct ClippedFitTests {
    /// A sampler that clips, on data of which the limit cuts a part off.
    struct Clipped: Sendable, CustomTestStringConvertible {
        let options: SamplerOptions
        var type = PredictionType.epsilon
        var testDescription: String { "\(options.kind) \(type), eta \(options.eta), clip \(options.clip ?? 0)" }

        init(_ kind: SamplerKind, clip: Double, eta: Double = 0, type: PredictionType = .epsilon) {
            var options = SamplerOptions(kind)
            options.clip = clip
            options.eta = eta
            self.options = options
            self.type = type
        }

        func setup(scale: Double, steps: Int = 20) -> GaussianRun {
            var setup = GaussianRun(type: type, options: options, steps: steps, scale: scale)
            setup.shape = [2, 8, 8]
            return setup
        }
    }

    static let samplers = [
        Clipped(.ddim, clip: 1), Clipped(.ddim, clip: 0.5, type: .vPrediction), Clipped(.ddim, clip: 2, type: .sample),
        Clipped(.ddim, clip: 1, eta: 1), Clipped(.ddpm, clip: 1), Clipped(.ddpm, clip: 0.3, type: .vPrediction),
        Clipped(.dpmSolver, clip: 1), Clipped(.dpmSolver, clip: 2, type: .sample),
    ]

    @Test func `beyond the limit DDIM passes an error in x0 on by -s'/s, and the others not at all`() throws {
        let process = try DiffusionProcess(.epsilon, betas: .linear(start: 0.0001, end: 0.02))
        for sampler in Self.samplers where sampler.options.eta == 0 {
            let response = try SamplerResponse(sampler.options, process: process, steps: 12)
            let clipping = try #require(response.clipping)
            let calls = try makeSampler(sampler.options, process: process, steps: 12, shape: []).calls
            for call in calls {
                let kept = call.levelAfter.pathPosition / call.level.pathPosition
                let expected = sampler.options.kind == .ddim ? -kept : 0
                #expect(abs(clipping.beyond[call.index] - expected) < 1e-4, "\(sampler.testDescription)")
            }
        }
        #expect(try SamplerResponse(SamplerOptions(.ddim), process: process, steps: 4).clipping == nil)
    }

    @Test func `a limit that nothing reaches changes no fit`() throws {
        let plain = GaussianRun(type: .vPrediction, steps: 12, scale: 3)
        var wide = plain
        wide.options.clip = 1e3
        let plan = ReusePlan(steps: (0..<12).map { $0.isMultiple(of: 3) || $0 == 11 }, branches: Runs.guided)
        let errors = try [plain, wide].map { setup in
            let measured = try GaussianCalibration(setup, seeds: 1..<5, quantity: .velocity)
            let spec = try measured.steering(plan, seeds: 1..<5)
            return try (5..<9).map { try measured.error(seed: $0, plan: plan, spec: spec) }
        }
        for (one, other) in zip(errors[0], errors[1]) { #expect(abs(one - other) < 0.02 * one) }
    }

    /// Elements of which the prior leaves many beyond the limit, and a target on the other side.
    @Test(arguments: [-0.9, 0, 0.5])
    func `a clipped fit never leaves the states farther than its prior does`(beyond: Double) {
        for seed in UInt64(1)...6 {
            let count = 60
            func series(_ number: UInt64) -> [Float] { noise(count, seed: 100 * seed + number) }
            let step = ClippedStep(limit: 1, within: 0.1, beyond: beyond)
            let image = ClippedRegression.Image(
                features: [series(1), series(2), series(3), series(4)], base: series(5).map { Double($0) },
                target: series(6).map { 0.3 * Double($0) })
            let prior = [[1.5, -0.5], [0.4, 2]]
            let weights = ClippedRegression(
                step: step, images: [image], bandCount: 2, relativeRidge: SteeringFit.ridge
            ).weights(from: prior)
            func distance(_ weights: [[Double]]) -> Double {
                (0..<count).reduce(0) { sum, i in
                    let clean = zip(image.features, weights.flatMap(\.self)).reduce(image.base[i]) {
                        $0 + Double($1.0[i]) * $1.1
                    }
                    let difference = image.target[i] - step.reach(clean)
                    return sum + difference * difference
                }
            }
            #expect(distance(weights) < distance(prior))
        }
    }

    @Test(arguments: samplers, [1.0, 3.0])
    func `under clipping steering destroys no image that it has not seen`(sampler: Clipped, scale: Double) throws {
        let measured = try GaussianCalibration(sampler.setup(scale: scale), seeds: 1..<5, quantity: .velocity)
        let branches = measured.references[0].branches
        for period in [2, 3] {
            let plan = ReusePlan(steps: (0..<20).map { $0.isMultiple(of: period) || $0 == 19 }, branches: branches)
            let spectral = try Forecaster.spectral(for: plan, calibration: measured.calibration)
            let steering = try measured.steering(plan, seeds: 1..<5)
            func error(_ spec: Forecaster) throws -> Double {
                try (20..<26).reduce(0) { try $0 + measured.error(seed: $1, plan: plan, spec: spec) }
            }
            let errors = try (error(spectral), error(steering))
            // An inverse of the clipped step ended more than ten times as far off.
            #expect(errors.1 < 2 * errors.0, "period \(period): \(errors)")
        }
    }
}
