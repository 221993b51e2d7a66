import Compute
import TestSupport
import Testing

@testable import Sampling

/// The sums that diffusers publishes in its own tests (tests/schedulers/test_scheduler_ddim.py and
/// test_scheduler_dpm_multi.py, `test_full_loop_*`), within its own tolerances.
struct PublishedSumsTests {
    /// `torch.arange(768).reshape(3, 8, 8, 4) / 768`, permuted to (4, 3, 8, 8).
    private static let sample: [Float] = permuted { Float($0) / 768 }

    /// The same numbers in reverse order, permuted alike.
    private static let reversed: [Float] = permuted { Float(767 - $0) / 768 }

    private static func permuted(_ value: (Int) -> Float) -> [Float] {
        (0..<4).flatMap { last in (0..<192).map { value($0 * 4 + last) } }
    }

    /// The reference's dummy model x t / (t + 1).
    private static func dummy(_ x: Double, _ call: ModelCall) -> Double { x * call.timestep / (call.timestep + 1) }

    private static func sumOfMagnitudes(_ values: [Float]) -> Double { values.reduce(0) { $0 + abs(Double($1)) } }

    @Test(arguments: [
        (PredictionType.epsilon, 0.0001, SamplerOptions.End.clean, 172.0067),
        (.vPrediction, 0.0001, .clean, 52.5302),
        (.epsilon, 0.01, .clean, 149.8295),
        (.epsilon, 0.01, .firstTimestep, 149.0784),
    ])
    func `ten DDIM steps reach the published sum`(
        type: PredictionType, betaStart: Double, end: SamplerOptions.End, sum: Double
    ) throws {
        let sampler = try makeSampler(
            SamplerOptions(.ddim, spacing: .leading, clip: 1, end: end),
            process: linearProcess(type, start: betaStart), steps: 10, shape: [768])
        let result = drive(sampler, from: Self.sample, model: Self.dummy)
        #expect(figure("published DDIM sum \(sum)", abs(Self.sumOfMagnitudes(result) - sum), below: 1e-2))
    }

    @Test func `a start at the ninth of ten DDIM steps reaches the published sum`() throws {
        let options = SamplerOptions(.ddim, spacing: .leading, clip: 1)
        var grid = try SamplingGrid(options, process: linearProcess(), steps: 10)
        grid.points.removeFirst(8)
        let level = grid.points[0].level
        let start = zip(Self.sample, Self.reversed).map { clean, noise in
            Float(level.alpha * Double(clean) + level.sigma * Double(noise))
        }
        let sampler = makeSampler(options, predictionType: .epsilon, grid: grid, shape: [768])
        let result = drive(sampler, from: start, model: Self.dummy)
        let difference = abs(Self.sumOfMagnitudes(result) - 354.5418)
        #expect(figure("published DDIM sum 354.5418", difference, below: 1e-2))
    }

    @Test func `ten steps of DPM-Solver++(2M) reach the published mean`() throws {
        let options = SamplerOptions(.dpmSolver, spacing: .linspace, end: .firstTimestep, lowerOrderFinal: false)
        let sampler = try makeSampler(options, process: linearProcess(), steps: 10, shape: [768])
        let result = drive(sampler, from: Self.sample, model: Self.dummy)
        let difference = abs(Self.sumOfMagnitudes(result) / 768 - 0.3301)
        #expect(figure("published DPM-Solver++(2M) mean 0.3301", difference, below: 1e-3))
        // As run with diffusers 0.42.1; the published figure is this one rounded.
        #expect(abs(Self.sumOfMagnitudes(result) / 768 - 0.330145) < 1e-5)
    }
}
