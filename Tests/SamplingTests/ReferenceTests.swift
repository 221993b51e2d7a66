import Foundation
import TestSupport
import Testing

@testable import Sampling

/// Against diffusers 0.42.1, schedules and states in float64 there (Scripts/golden/samplers.py).
struct ReferenceTests {
    private let golden: GoldenSamplers

    init() throws {
        golden = try GoldenSamplers.load()
    }

    /// States are in single precision here and the made-up model is no contraction: up to 39 calls, each rounding by
    /// 2^−24 (6e-8) what the steps before left.
    private static let tolerance = 5e-6

    /// At timestep 0 of a model that predicts the sample, ε = (x − α y)/σ magnifies the rounding of x by 1/σ = 100, and
    /// Heun's last full step takes that for a direction.
    private static let magnifiedTolerance = 5e-5

    @Test func `every timestep list of the reference comes out`() throws {
        #expect(golden.timesteps.count == 40)
        for list in golden.timesteps {
            let found = try list.spacing.timesteps(
                .init(steps: list.steps, trainTimesteps: 1000, offset: list.offset, dropsLast: list.multistep))
            #expect(found == list.timesteps, "\(list.spacing) \(list.steps)")
        }
    }

    @Test(arguments: TimestepSpacing.allCases)
    func `the timestep lists of all step counts have the reference's digest`(spacing: TimestepSpacing) throws {
        var digest: UInt64 = 0xcbf2_9ce4_8422_2325
        for steps in 2...1000 {
            for t in try spacing.timesteps(.init(steps: steps, trainTimesteps: 1000)) {
                digest = (digest ^ UInt64(t)) &* 0x100_0000_01b3
            }
        }
        #expect(golden.digests[spacing.rawValue].flatMap { UInt64($0, radix: 16) } == digest)
    }

    @Test(arguments: ["linear", "scaled_linear", "squaredcos_cap_v2"])
    func `alpha bars are the reference's`(name: String) throws {
        let process = try JSONDecoder().decode(
            DiffusionProcess.self, from: Data(#"{"beta_schedule": "\#(name)"}"#.utf8))
        guard case .variancePreserving(let betas) = process.noising else {
            Issue.record("\(name) is not variance preserving")
            return
        }
        let schedule = NoiseSchedule(betas: betas.betas(count: 1000))
        let expected = try #require(golden.alphaBars[name])
        #expect(expected.count == 6)
        for (timestep, alphaBar) in expected {
            let found = schedule.alphaBars[try #require(Int(timestep))]
            // The reference's cosine betas come in single precision.
            #expect(abs(found / alphaBar - 1) < (betas == .squaredCosine ? 1e-4 : 1e-8), "timestep \(timestep)")
        }
    }

    /// diffusers has no sampler like ``SamplerKind/sde``, which ``SDESamplerTests`` compares with its paper's.
    @Test(arguments: SamplerKind.allCases.filter { $0 != .sde }, PredictionType.allCases)
    func `final latents are the reference's`(kind: SamplerKind, type: PredictionType) throws {
        let runs = golden.runs.filter { $0.options.kind == kind && $0.process.predictionType == type }
        #expect(runs.isEmpty == !kind.supports(type))
        let tolerance = kind == .heun && type == .sample ? Self.magnifiedTolerance : Self.tolerance
        for run in runs {
            let difference = largestRelativeDifference(try golden.sample(run), against: run.result)
            #expect(difference < tolerance, "\(run.options.spacing) \(run.steps) steps: \(difference)")
        }
    }

    @Test func `where the reference's DDIM contradicts its own timesteps, ours goes to the next of the list`() throws {
        let run = golden.irregular
        let consistent = try #require(
            golden.runs.first { $0.options == run.options && $0.process == run.process && $0.steps == run.steps })
        let found = try golden.sample(run)
        #expect(largestRelativeDifference(found, against: consistent.result) < Self.tolerance)
        #expect(largestRelativeDifference(found, against: run.result) > 1e-3)
    }
}
