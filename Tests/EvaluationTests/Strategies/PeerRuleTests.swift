import Caching
import Compute
import Models
import Sampling
import TestSupport
import Testing

@testable import Evaluation

/// The published rules on series made by hand.
@Suite struct PeerRuleTests {
    /// The values of a feature that is full at the calls of `values` and forecast at the others up to `last`.
    private func walk(_ feature: any FeatureForecast, full values: [Int: Float], last: Int) -> [Float] {
        (0...last).map { call in
            var value: [Float] = [values[call] ?? 0]
            if values[call] != nil {
                value.withUnsafeBufferPointer { feature.keep($0, at: call) }
            } else {
                value.withUnsafeMutableBufferPointer { feature.write(at: call, to: $0) }
            }
            return value[0]
        }
    }

    @Test func `FoCa follows a line exactly and bends back to the slope between full calls`() {
        let line = walk(FoCaFeature(horizon: 9, shape: [1]), full: [0: 1, 1: 3, 5: 11], last: 8)
        #expect(line == [1, 3, 5, 7, 9, 11, 13, 15, 17])
        // At 4 the forecasts are 3 short: the last change is 6 − 3 = 3, that between full calls 5/3.
        let bent = walk(FoCaFeature(horizon: 9, shape: [1]), full: [0: 0, 1: 1, 4: 6], last: 6)
        let changes: [Float] = [(3 + 5 / 3.0) / 2, (3 + 3 * 5 / 3.0) / 4]
        let expected = [0, 1, 2, 3, 6, 6 + changes[0], 6 + changes[0] + changes[1]]
        #expect(largestRelativeDifference(bent, against: expected) < 1e-6)
    }

    @Test func `FoCa holds beyond its horizon, and after one full call`() {
        #expect(walk(FoCaFeature(horizon: 2, shape: [1]), full: [0: 0, 1: 1], last: 5) == [0, 1, 2, 3, 3, 3])
        #expect(walk(FoCaFeature(horizon: 2, shape: [1]), full: [0: 4], last: 2) == [4, 4, 4])
    }

    @Test func `FasterCache extrapolates by a weight that rises over the run`() {
        let values = walk(ExtrapolatedFeature(calls: 5, shape: [1]), full: [0: 1, 2: 3, 3: 5], last: 4)
        #expect(values == [1, 1, 3, 5, 7])
        #expect(walk(ExtrapolatedFeature(calls: 5, shape: [1]), full: [0: 1, 1: 3], last: 2)[2] == 4)
    }

    /// Gives the conditional branch a plane of waves that grows with the call, and the other one another.
    private final class Waves: Denoiser {
        let hasVariance = false
        private(set) var evaluations = 0

        func begin(calls: [ModelCall], branches: GuidanceBranches, shape: [Int]) throws {}

        func evaluate(
            _ branches: GuidanceBranches, at call: ModelCall, latents: Tensor, into outputs: BranchOutputs
        ) throws {
            evaluations += branches.count
            for (entry, output) in outputs.each(of: branches) {
                let values = output.prediction.values
                for i in 0..<values.count {
                    // Beside a mean, the highest frequency of a row.
                    let high: Float = i.isMultiple(of: 2) ? 1 : -1
                    values[i] = entry == 0 ? Float(call.index) : Float(call.index) + 3 + 0.5 * high
                }
            }
        }
    }

    @Test func `FasterCache adds the last difference of the branches, by frequency`() throws {
        let calls = try makeSampler(
            SamplerOptions(), process: DiffusionProcess(.epsilon, betas: .linear(start: 0.0001, end: 0.02)), steps: 4,
            shape: [1, 8, 8]
        ).calls
        let (base, branches) = (Waves(), GuidanceBranches([.conditional, .unconditional]))
        let denoiser = BranchOffsetDenoiser(base, unconditional: [true, false, false, false], weight: 2)
        let outputs = BranchOutputs(branches: branches, shape: [1, 8, 8], hasVariance: false)
        try denoiser.begin(calls: calls, branches: branches, shape: [1, 8, 8])
        for call in calls {
            try denoiser.evaluate(branches, at: call, latents: Tensor([1, 8, 8]), into: outputs)
            let values = outputs.unconditional.prediction.elements
            let mean = values.reduce(0, +) / 64
            // The shares of the run that are left are 1, 0.75, 0.5 and 0.25: low frequencies count double at the last two.
            let low: Float = call.index < 2 ? 3 : 6
            #expect(abs(mean - Float(call.index) - low) < 1e-4)
            let wave = values.enumerated().reduce(Float(0)) { $0 + ($1.offset.isMultiple(of: 2) ? 1 : -1) * $1.element }
            if call.index == 2 { #expect(abs(wave / 64 - 0.5) < 0.1) }
            if call.index == 3 { #expect(wave / 64 > 0.85) }
        }
        #expect(base.evaluations == 5)
    }

    @Test func `Spectrum's line is exact, and its polynomials are without a ridge`() throws {
        let line = try SpectralMixture(ridge: 1, share: 0).weights(of: [6, 4, 1], at: 9, calls: 20)
        #expect(largestRelativeDifference(line, against: [2.5, -1.5, 0]) < 1e-12)
        let cubic = { (call: Int) -> Double in
            let x = Double(call)
            return 2 - x + 0.3 * x * x - 0.01 * x * x * x
        }
        let sources = [12, 9, 7, 3, 2, 0]
        let weights = try SpectralMixture(ridge: 0, share: 1).weights(of: sources, at: 15, calls: 20)
        let forecast = zip(sources, weights).reduce(0) { $0 + $1.1 * cubic($1.0) }
        #expect(abs(forecast - cubic(15)) < 1e-8)
        // A ridge shortens, and the mixture is between the two.
        let ridge = try SpectralMixture(ridge: 1, share: 1).weights(of: sources, at: 15, calls: 20)
        let mixed = try SpectralMixture(ridge: 1, share: 0.4).weights(of: sources, at: 15, calls: 20)
        let straight = try SpectralMixture(ridge: 1, share: 0).weights(of: sources, at: 15, calls: 20)
        #expect(largestRelativeDifference(mixed, against: zip(ridge, straight).map { 0.4 * $0 + 0.6 * $1 }) < 1e-12)
        #expect(ridge != weights)
        #expect(try SpectralMixture(ridge: 0, share: 0).weights(of: [3], at: 5, calls: 20) == [1])
    }

    @Test(arguments: [0, 0.1, 0.5], [4, 10, 16, 25, 49])
    func `windows grow, and every full call is used`(growth: Double, full: Int) {
        let mask = GrowingWindows.full(calls: 50, full: full, warmUp: 2, growth: growth)
        let calls = mask.indices.filter { mask[$0] }
        #expect(calls.count == full && calls.starts(with: [0, 1]))
        // Up to the last ones, which take what is left.
        let gaps = zip(calls.dropFirst(2), calls.dropFirst()).map { $0 - $1 }
        let end = gaps.lastIndex { $0 > 1 } ?? 0
        #expect(zip(gaps[..<end].dropFirst(), gaps).allSatisfy { $0 >= $1 })
    }
}
