import Compute
import Glibc
import Sampling
import TestSupport
import Testing

@testable import Caching

@Suite struct CalibrationTests {
    @Test(arguments: [PredictionType.epsilon, .sample, .vPrediction])
    func `DDIM passes an error in x0 on by |s' - s|/s and one in the state by s'/s`(type: PredictionType) throws {
        let process = try DiffusionProcess(type, betas: .linear(start: 0.0001, end: 0.02))
        let response = try SamplerResponse(SamplerOptions(.ddim), process: process, steps: 12)
        let calls = try makeSampler(SamplerOptions(.ddim), process: process, steps: 12, shape: []).calls
        for call in calls {
            let (s, after) = (call.level.pathPosition, call.levelAfter.pathPosition)
            #expect(abs(response.clean[call.index] - (s - after) / s) < 1e-5)
            #expect(abs(response.state[call.index] - after / s) < 1e-5)
        }
    }

    @Test(arguments: SamplerKind.allCases.filter { $0.supports(.epsilon) })
    func `every sampler passes errors on in proportion`(kind: SamplerKind) throws {
        let process = try DiffusionProcess(.epsilon, betas: .linear(start: 0.0001, end: 0.02))
        let response = try SamplerResponse(SamplerOptions(kind), process: process, steps: 10)
        #expect(response.clean.allSatisfy { $0.isFinite && $0 != 0 })
        #expect(response.state.allSatisfy { $0.isFinite })
    }

    @Test func `a distance that shrinks by the same factor in every step gains its powers, trusted in part`() {
        var gain = ClosedLoopGain(calls: 6)
        let distances = (0...6).map { 4 * pow(0.8, 2 * Double($0)) }
        gain.add(
            distances: distances,
            plan: ReusePlan(steps: [true, false, true, false, true, true], branches: .conditional))
        for (call, value) in gain.values.enumerated() {
            #expect(abs(value - pow(0.8, Double(5 - call) * ClosedLoopGain.trust)) < 1e-12)
        }
    }

    @Test func `without a measurement nothing is assumed to shrink`() {
        #expect(ClosedLoopGain(calls: 3).values == [1, 1, 1])
    }

    @Test func `the normal equations solve what they are given`() {
        let unknown = [0.5, -2, 3]
        let matrix = [4, 1, 0.5, 1, 3, -1, 0.5, -1, 5]
        var right = (0..<3).map { i in (0..<3).reduce(0) { $0 + matrix[i * 3 + $1] * unknown[$1] } }
        var products = matrix
        NormalEquations.solve(&products, &right, ridge: 0)
        for i in 0..<3 { #expect(abs(right[i] - unknown[i]) < 1e-12) }
        var (nothing, zero) = ([0.0, 0, 0, 0], [1.0, 1])
        NormalEquations.solve(&nothing, &zero, ridge: 1e-5)
        #expect(zero == [0, 0])
    }

    /// On Gaussian data of few variances, outputs of a deterministic run are the same combinations for every image.
    @Test(arguments: [1.0, 3.0])
    func `the expected error of a forecast is the one that it makes`(scale: Double) throws {
        var setup = GaussianRun(type: .sample, steps: 14, scale: scale)
        setup.variances = [0.3]
        let measured = try GaussianCalibration(setup, seeds: 1..<6, bands: 1)
        let model = ForecastModel(measured.calibration)
        let branches = measured.references[0].branches
        let plan = ReusePlan(steps: (0..<14).map { $0.isMultiple(of: 3) || $0 < 3 }, branches: branches)
        for call in [4, 7, 11] {
            let fit = model.fit(at: call, in: plan)
            var error = 0.0
            for reference in measured.references {
                func output(_ branch: GuidanceBranches, _ call: Int) -> [Float] {
                    reference.outputs(of: branch, as: .clean)[call].elements
                }
                var residual = output(.conditional, call).map { scale * Double($0) }
                if branches.count == 2 {
                    for (i, value) in output(.unconditional, call).enumerated() {
                        residual[i] += (1 - scale) * Double(value)
                    }
                }
                for (source, weights) in zip(fit.sources, fit.weights) {
                    for (i, value) in output(source.branch, source.call).enumerated() {
                        residual[i] -= weights[0] * Double(value)
                    }
                }
                error += residual.reduce(0) { $0 + $1 * $1 } / Double(measured.references.count)
            }
            let energy = model.fit(at: call, in: plan).error
            #expect(abs(error - energy) < 1e-3 * error + 1e-7)
        }
    }

    @Test func `branch forecasts make the guided forecast that they were made from`() {
        let terms = GuidedTerms(branches: Runs.guided, guidanceScale: 3)
        let values: [[Int: Double]] = [[5: 2.0, 3: 1.5], [5: -1.0, 3: 0.25]]  // outputs by branch and call
        let cases: [(GuidanceBranches, [(branch: GuidanceBranches, call: Int)])] = [
            ([], [(.conditional, 3), (.unconditional, 3)]),
            (.conditional, [(.conditional, 5), (.conditional, 3), (.unconditional, 3)]),
            (.unconditional, [(.conditional, 3), (.unconditional, 5), (.unconditional, 3)]),
        ]
        for (evaluated, sources) in cases {
            let weights = sources.indices.map { [0.7 - 0.4 * Double($0)] }
            func value(_ branch: GuidanceBranches, _ call: Int) -> Double {
                values[branch == .conditional ? 0 : 1][call] ?? .nan
            }
            let guided = zip(sources, weights).reduce(0) { $0 + $1.1[0] * value($1.0.branch, $1.0.call) }
            let entries = terms.entries(at: 5, sources: sources, weights: weights, evaluated: evaluated)
            func output(_ branch: GuidanceBranches) -> Double {
                guard let entry = entries.first(where: { $0.branch == branch }) else { return value(branch, 5) }
                return entry.terms.reduce(0) { $0 + $1.weights[0] * value($1.branch, $1.call) }
            }
            #expect(abs(3 * output(.conditional) - 2 * output(.unconditional) - guided) < 1e-12)
            #expect(Set(entries.map(\.branch.rawValue)).isDisjoint(with: evaluated == [] ? [] : [evaluated.rawValue]))
        }
    }

    @Test(arguments: [1.0, 3.0])
    func `spectral beats holding, and steering leads the calibration's images nearer to their ends`(scale: Double)
        throws
    {
        let setup = GaussianRun(type: .sample, steps: 16, scale: scale)
        let measured = try GaussianCalibration(setup, seeds: 1..<5)
        let branches = measured.references[0].branches
        let plan = ReusePlan(steps: (0..<16).map { $0.isMultiple(of: 3) || $0 == 15 }, branches: branches)
        let spectral = try Forecaster.spectral(for: plan, calibration: measured.calibration)
        let fit = try SteeringFit(plan: plan, calibration: measured.calibration, references: measured.references)
        var pairs = try (1..<5).map {
            try GaussianCalibration.start(setup, seed: UInt32($0), plan: plan, forecaster: fit.start)
        }
        for call in measured.references[0].calls {
            for pair in pairs { _ = try pair.run.evaluate() }
            fit.fit(at: call, runs: pairs.map(\.run), denoisers: pairs.map(\.denoiser))
            for index in pairs.indices { _ = pairs[index].run.advance() }
        }
        func error(_ spec: Forecaster) throws -> Double {
            try (1..<5).reduce(0) { try $0 + measured.error(seed: UInt32($1), plan: plan, spec: spec) }
        }
        let errors = try [.hold(quantity: .clean), spectral, fit.forecaster].map(error)
        #expect(errors[1] < 0.5 * errors[0])
        #expect(errors[2] < 0.5 * errors[1])
        // What the fit left its own runs with is what the forecaster that it returns makes.
        let left = zip(pairs, measured.references).reduce(0) { sum, pair in
            sum + pair.1.squaredDistance(to: pair.0.run.latents, at: 16, pathScale: 1)
        }
        #expect(abs(left - errors[2]) < 1e-3 * errors[2])
    }
}
