import Caching
import Compute
import Glibc
import Sampling
import TestSupport
import Testing

/// Inner products per frequency band, against products of the recorded tensors themselves.
@Suite struct TrajectoryGramTests {
    private func recorded(_ setup: GaussianRun) throws -> Trajectory {
        var run = try setup.start()
        let trajectory = Trajectory(of: run, predictionType: setup.type)
        while let step = try run.next() { trajectory.record(step, of: run) }
        return trajectory
    }

    private func product(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

    private func doubles(_ tensor: Tensor) -> [Double] { tensor.elements.map(Double.init) }

    @Test(arguments: [1.0, 2.5])
    func `the bands add up to the inner products`(scale: Double) throws {
        let trajectory = try recorded(GaussianRun(steps: 6, scale: scale))
        let gram = TrajectoryGram(of: trajectory, bandCount: 5)
        let vectors =
            [doubles(trajectory.states[0])] + trajectory.directions(of: .conditional).map(doubles)
            + trajectory.directions(of: .unconditional).map(doubles)
        #expect(gram.sums.count == 5 && gram.bandSizes.reduce(0, +) == 48)
        for (i, a) in vectors.enumerated() {
            for (j, b) in vectors.enumerated() {
                let sum = gram.sums.reduce(0) { $0 + $1[i, j] }
                // Single-precision cosine transforms.
                #expect(abs(sum - product(a, b)) < 1e-6 * (product(a, a) * product(b, b)).squareRoot())
            }
        }
    }

    @Test func `the guided products are those of the guided sum`() throws {
        let trajectory = try recorded(GaussianRun(steps: 4, scale: 2.5))
        let gram = TrajectoryGram(of: trajectory)
        let (c, u) = (trajectory.directions(of: .conditional), trajectory.directions(of: .unconditional))
        let guided = zip(c, u).map { c, u in zip(doubles(c), doubles(u)).map { 2.5 * $0 - 1.5 * $1 } }
        for i in 0..<4 {
            for j in 0..<4 {
                let sum = (0..<8).reduce(0) { $0 + gram.products(of: .guided, band: $1)[i, j] }
                #expect(abs(sum / product(guided[i], guided[j]) - 1) < 1e-5)
            }
        }
        #expect(gram.products(of: .conditional, band: 3)[1, 2] == gram.sums[3][2, 3])
        #expect(gram.products(of: .unconditional, band: 3)[1, 2] == gram.sums[3][6, 7])
        #expect(gram.row(of: .conditional, at: 1) == 2 && gram.row(of: .unconditional, at: 1) == 6)
    }

    @Test func `without guidance the guided products are the conditional ones`() throws {
        let gram = TrajectoryGram(of: try recorded(GaussianRun(steps: 3)))
        #expect(gram.sums[0].rows == 4)
        #expect(gram.products(of: .guided, band: 2) == gram.products(of: .conditional, band: 2))
    }

    @Test func `runs add up, and products are means over them`() throws {
        let (a, b) = (
            TrajectoryGram(of: try recorded(GaussianRun(seed: 1))),
            TrajectoryGram(of: try recorded(GaussianRun(seed: 2)))
        )
        var both = a
        both.add(b)
        #expect(both.runs == 2)
        let (x, y) = (a.products(of: .guided, band: 5), b.products(of: .guided, band: 5))
        let mean = both.products(of: .guided, band: 5)
        for i in mean.elements.indices { #expect(abs(mean.elements[i] - (x.elements[i] + y.elements[i]) / 2) < 1e-9) }
        let isDifferent = x != y
        #expect(isDifferent)
        #expect(!a.isLike(TrajectoryGram(of: try recorded(GaussianRun(scale: 2)))))
    }

    @Test(arguments: [0, 3, 7])
    func `a wave has its energy in its own band`(frequency: Int) throws {
        let shape = [1, 8, 8]
        let bands = FrequencyBands(shape: shape, count: 4)
        let wave = (0..<64).map { cosine(frequency, Double($0 / 8), of: 8) * cosine(frequency, Double($0 % 8), of: 8) }
        let denoiser = ConstantDenoiser(wave.map(Float.init))
        let setup = GaussianRun(steps: 2, shape: shape)
        var run = try setup.start(denoiser)
        let trajectory = Trajectory(of: run, predictionType: .epsilon)
        while let step = try run.next() { trajectory.record(step, of: run) }
        let gram = TrajectoryGram(of: trajectory, bandCount: 4)
        let own = Int(bands.indices[frequency * 8 + frequency])
        let total = product(wave, wave)
        for band in 0..<4 {
            let share = gram.sums[band][1, 2] / total
            #expect(abs(share - (band == own ? 1 : 0)) < 1e-6, "band \(band)")
        }
    }

    private func cosine(_ k: Int, _ i: Double, of count: Double) -> Double {
        cos(Double.pi * (i + 0.5) * Double(k) / count)
    }
}
