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

        func begin(calls: [ModelCall], guidance: Guidance, shape: [Int]) throws {}

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
        try denoiser.begin(calls: calls, guidance: Guidance(scale: 3), shape: [1, 8, 8])
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

    @Test func `L2P recovers the weights that made a series`() throws {
        // h(3) = 0.5 h(2) + 0.7 h(1) − 0.4 h(0), of three vectors without structure.
        let known = (0..<3).map { noise(400, seed: UInt64($0 + 1)).map(Double.init) }
        let all = known + [(0..<400).map { 0.5 * known[2][$0] + 0.7 * known[1][$0] - 0.4 * known[0][$0] }]
        var products = Matrix(rows: 4, columns: 4)
        for i in 0..<4 { for j in 0..<4 { products[i, j] = zip(all[i], all[j]).reduce(0) { $0 + $1.0 * $1.1 } } }
        let weights = try LinearPredictorFit(products: products).weights(of: [2, 1, 0], at: 3)
        #expect(largestRelativeDifference(weights, against: [0.5, 0.7, -0.4]) < 1e-4)
        // What nothing explains is held.
        let zero = try LinearPredictorFit(products: Matrix(rows: 4, columns: 4)).weights(of: [2, 1], at: 3)
        #expect(zero == [1, 0])
    }

    @Test func `CEM's plan has the least sum of weighted errors of all with its distances`() {
        let (calls, full) = (9, 4)
        for seed in 0..<10 {
            let changes = (0..<8).map { k in
                noise(calls, seed: UInt64(10 * seed + k)).map { Double(abs($0)) }
            }
            for power in 0...2 {
                func cost(_ path: [Int]) -> Double {
                    zip(path, path.dropFirst()).reduce(0) { sum, edge in
                        let reused = edge.1 - edge.0 - 1
                        guard reused > 0 else { return sum }
                        let errors = changes[reused - 1][...edge.1].reduce(0, +)
                        return sum + errors * [1, Double(reused), Double(reused * reused)][power]
                    }
                }
                let plan = CumulativeErrorPlan(changes: changes, interval: 1, power: power)
                    .full(calls: calls, full: full)
                let path = plan.indices.filter { plan[$0] }
                #expect(path.count == full && path.first == 0 && path.last == calls - 1)
                // Distances from 1 to 3: round(9/4) = 2, and one more or less.
                let all = (1...7).flatMap { a in (1...7).map { [0, a, $0, 8] } }.filter { path in
                    zip(path, path.dropFirst()).allSatisfy { (1...3).contains($1 - $0) }
                }
                #expect(abs(cost(path) - (all.map(cost).min() ?? 0)) < 1e-12)
            }
        }
    }

    @Test(arguments: 1...9) func `CEM has a plan for any number of full calls`(full: Int) {
        let changes = Array(repeating: Array(repeating: 1.0, count: 9), count: 8)
        let plan = CumulativeErrorPlan(changes: changes, interval: 1, power: 2).full(calls: 9, full: full)
        #expect(plan.count { $0 } == full && plan[0])
    }

    @Test func `MeanCache is exact for a velocity that is held, and follows one that is linear`() throws {
        func forecast(last: Float, first: Float, state: Float, start: Float, _ s: (Double, Double, Double)) -> Float {
            var result: [Float] = [0]
            result.withUnsafeMutableBufferPointer { output in
                [last].withUnsafeBufferPointer { last in
                    [first].withUnsafeBufferPointer { first in
                        [state].withUnsafeBufferPointer { state in
                            [start].withUnsafeBufferPointer { start in
                                MeanVelocity.write(
                                    last: last, first: first, state: state, start: start,
                                    positions: (start: s.0, now: s.1, next: s.2), to: output)
                            }
                        }
                    }
                }
            }
            return result[0]
        }
        // x = 5 − 2 s.
        #expect(forecast(last: -2, first: -2, state: 4, start: 3, (1, 0.5, 0.25)) == -2)
        // x = s²/2 from s = 1 to 0.5: v falls from 1, the mean is 0.75, and so dv/ds is taken to be 0.5.
        let value = forecast(last: 0.6, first: 1, state: 0.125, start: 0.5, (1, 0.5, 0.4))
        #expect(abs(value - (0.6 - (1 - 0.75) / -0.5 * -0.1)) < 1e-6)
    }

    @Test func `MeanCache's plan is full where the velocity turns`() {
        // The velocity is 1 but for calls 4 and 5.
        let velocities: [Float] = [1, 1, 1, 1, 9, -3, 1, 1, 1, 1]
        let positions = (0...10).map { 1 - Double($0) / 10 }
        var states: [[Float]] = [[0]]
        for velocity in velocities { states.append([states[states.count - 1][0] - velocity / 10]) }
        let gaps = MeanVelocityGaps([states], positions: positions, longest: 10)
        let lookBack = gaps.lookBack(full: 4, power: 2)
        let full = lookBack.indices.filter { lookBack[$0] == 0 }
        #expect(full.count == 4 && full[0] == 0 && full.contains(4) && full.contains(5))
        #expect(lookBack.allSatisfy { (0...MeanVelocity.longest).contains($0) })
    }

    @Test(arguments: [LayerCorrections.Kind.offset, .channelFactor, .factor])
    func `TCC's correction undoes what it was fitted to`(kind: LayerCorrections.Kind) {
        let site = Site(.layer(LayerKind("mlp"), block: 0), shape: [2, 2, 3], multiplyAdds: 1)
        let held = Tensor([2, 2, 3])
        _ = held.values.update(fromContentsOf: noise(12, seed: 3, offset: 2))
        let truth = Tensor([2, 2, 3])
        for i in 0..<12 {
            let channel = Float(i % 3)
            truth.values[i] =
                switch kind {
                case .offset: held.values[i] + channel - 1
                case .channelFactor: held.values[i] * (1 + channel / 4)
                case .factor: held.values[i] * 1.25
                }
        }
        var corrections = LayerCorrections(kind: kind)
        corrections.fit([(truth, held)], of: site, at: 4)
        let (before, other) = (held.elements, Tensor([2, 2, 3]))
        other.copy(from: held)
        corrections.apply(to: other.values, of: site.id, at: 5)
        #expect(other.elements == before)
        corrections.apply(to: held.values, of: site.id, at: 4)
        #expect(largestRelativeDifference(held.elements, against: truth.elements) < 1e-6)
    }

    @Test(arguments: [(0.2, 0.9), (0, 1)])
    func `PAB holds attention over time twice as long, and attention to a prompt three times`(from: Double, to: Double)
    {
        let spread = BroadcastSchedule(calls: 50, from: from, to: to)
        #expect(spread.held.count == (from > 0 ? 35 : 48))
        let kinds: [LayerKind] = [.attention, .temporalAttention, .crossAttention, .mlp]
        for full in [0, 6, 12, spread.held.count] {
            let schedule = spread.schedule(full: full, of: kinds)
            for (kind, mask) in schedule {
                let inside = spread.held.filter { mask[$0] }
                #expect(inside.count == full / BroadcastSchedule.length(of: kind))
                let outside = (0..<50).filter { !spread.held.contains($0) }
                #expect(outside.allSatisfy { mask[$0] })
                // Gaps differ by one at most.
                let ends = [spread.held.lowerBound - 1] + inside + [spread.held.upperBound]
                let gaps = zip(ends, ends.dropFirst()).map { $1 - $0 }
                #expect((gaps.max() ?? 0) - (gaps.min() ?? 0) <= 1)
            }
            #expect(schedule[.attention] == schedule[.mlp])
        }
    }
}
