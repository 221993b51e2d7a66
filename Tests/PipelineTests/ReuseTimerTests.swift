import Caching
import Compute
import Sampling
import Testing

@testable import Pipeline

/// What a run says that a full one would take.
@Suite struct ReuseTimerTests {
    /// Takes a given time for each branch.
    private final class SlowDenoiser: Denoiser {
        let hasVariance = false
        let seconds: Double
        init(seconds: Double) { self.seconds = seconds }

        func begin(calls: [ModelCall], guidance: Guidance, shape: [Int]) throws {}

        func evaluate(
            _ branches: GuidanceBranches, at call: ModelCall, latents: Tensor, into outputs: BranchOutputs
        ) throws {
            let clock = ContinuousClock()
            let end = clock.now + .seconds(seconds * Double(branches.count))
            while clock.now < end {}
            outputs.conditional.prediction.values.update(repeating: 0)
            outputs.unconditional.prediction.values.update(repeating: 0)
        }
    }

    private static let guided: GuidanceBranches = [.conditional, .unconditional]

    private func saved(_ plan: ReusePlan, seconds: Double) throws -> Double {
        let process = try DiffusionProcess(.epsilon, betas: .linear(start: 0.0001, end: 0.02))
        let timer = ReuseTimer(SlowDenoiser(seconds: seconds)) {
            CachedDenoiser($0, predictionType: .epsilon, plan: plan, forecaster: .hold())
        }
        var run = try SamplingRun(
            denoiser: timer.denoiser,
            sampler: makeSampler(SamplerOptions(), process: process, steps: plan.calls, shape: [1, 4, 4]),
            guidance: Guidance(scale: 3), shape: [1, 4, 4], noise: TorchRandom(seed: 1))
        while try run.next() != nil {}
        return timer.secondsSaved
    }

    @Test func `a run has saved what its own evaluations took, for each that it left out`() throws {
        let steps = ReusePlan(steps: (0..<10).map { $0.isMultiple(of: 2) }, branches: Self.guided)
        #expect(try isEver(5 * 0.0079...10 * 0.012) { try saved(steps, seconds: 0.004) })
        let branch = ReusePlan(
            evaluated: (0..<10).map { $0 == 0 ? Self.guided : .conditional }, branches: Self.guided)
        #expect(try isEver(9 * 0.001...9 * 0.012) { try saved(branch, seconds: 0.004) })
    }

    /// Whether a time is ever in a range: a machine with other work on it interrupts some of the runs.
    private func isEver(_ range: ClosedRange<Double>, _ time: () throws -> Double) rethrows -> Bool {
        for _ in 0..<20 where range.contains(try time()) { return true }
        return false
    }

    @Test func `a run that leaves nothing out has saved nothing`() throws {
        #expect(try saved(.full(calls: 4, branches: Self.guided), seconds: 0.001) <= 0)
    }
}
