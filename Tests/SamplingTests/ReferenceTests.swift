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
                steps: list.steps, trainTimesteps: 1000, offset: list.offset, dropsLast: list.multistep)
            #expect(found == list.timesteps, "\(list.spacing) \(list.steps)")
        }
    }

    @Test(arguments: TimestepSpacing.allCases)
    func `the timestep lists of all step counts have the reference's digest`(spacing: TimestepSpacing) throws {
        var digest: UInt64 = 0xcbf2_9ce4_8422_2325
        for steps in 2...1000 {
            for t in try spacing.timesteps(steps: steps, trainTimesteps: 1000) {
                digest = (digest ^ UInt64(t)) &* 0x100_0000_01b3
            }
        }
        #expect(golden.digests[spacing.rawValue].flatMap { UInt64($0, radix: 16) } == digest)
    }

    @Test(arguments: ["linear", "scaled_linear", "squaredcos_cap_v2"])
    func `alpha bars are the reference's`(name: String) throws {
        let known: [String: BetaSchedule] = [
            "linear": .linear(start: 0.0001, end: 0.02), "scaled_linear": .scaledLinear(start: 0.0001, end: 0.02),
            "squaredcos_cap_v2": .squaredCosine,
        ]
        let betas = try #require(known[name])
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
        let rules = golden.runs.filter { $0.options.stepRule == .diffusers && $0.options.spacing == .linspace }
        let run = try #require(rules.first { $0.steps == 10 && $0.process.predictionType == .epsilon })
        var own = run.options
        own.stepRule = .list
        let consistent = try #require(
            golden.runs.first { $0.options == own && $0.process == run.process && $0.steps == run.steps })
        let sampler = try makeSampler(own, process: run.process, steps: run.steps, shape: [golden.initial.count])
        #expect(sampler.calls.allSatisfy { $0.target == $0.levelAfter })
        #expect(largestRelativeDifference(try golden.sample(consistent), against: run.result) > 1e-3)
    }

    @Test func `ancestral sampling by the reference's rule adds noise in the last step, unless its timestep is 0`()
        throws
    {
        let process = try linearProcess()
        for (spacing, offset, adds) in [(TimestepSpacing.leading, 0, false), (.leading, 1, true), (.trailing, 0, true)]
        {
            let options = SamplerOptions(
                .ddpm, spacing: spacing, stepsOffset: offset, variance: .fixedLarge, stepRule: .diffusers)
            var own = options
            own.stepRule = .list
            let found = try [options, own].map { options in
                drive(
                    try makeSampler(options, process: process, steps: 10, shape: [golden.initial.count]),
                    from: golden.initial, noise: golden.noise, model: { x, _ in 0.5 * x })
            }
            #expect((found[0] != found[1]) == adds, "\(spacing) \(offset)")
            #expect(
                try options.following(.diffusers, process: process, steps: 10).stepRule == (adds ? .diffusers : .list))
        }
    }

    /// T/N is a whole number for 10 and 50 of 1000 timesteps, and not for 7, 30 and 48.
    @Test(
        arguments: [
            (.leading, 10, false), (.leading, 7, false), (.trailing, 10, false), (.trailing, 50, false),
            (.trailing, 7, true),
            (.trailing, 30, true), (.trailing, 48, true), (.linspace, 10, true), (.linspace, 1, true),
            (.linspace, 999, true),
            (.respaced, 10, false), (.leading, 1000, false), (.trailing, 1000, false), (.linspace, 1000, false),
        ] as [(TimestepSpacing, Int, Bool)])
    func `the rule is kept only where it changes the images`(spacing: TimestepSpacing, steps: Int, changes: Bool) throws
    {
        let options = try SamplerOptions(.ddim, spacing: spacing)
            .following(.diffusers, process: linearProcess(), steps: steps)
        #expect((options.stepRule == .diffusers) == changes)
        for kind in [SamplerKind.euler, .heun, .dpmSolver] {
            let other = try SamplerOptions(kind, spacing: spacing)
                .following(.diffusers, process: linearProcess(), steps: min(steps, 999))
            #expect(other == SamplerOptions(kind, spacing: spacing))
        }
        let ancestral = SamplerOptions(.ddpm, spacing: spacing)
        let followed = try ancestral.following(.diffusers, process: linearProcess(), steps: steps)
        #expect(followed == ancestral || steps == 1, "the small variance of a step to no noise is none")
    }

    @Test func `the rule is written only where it is not the default`() throws {
        func written(_ options: SamplerOptions) throws -> String {
            String(decoding: try JSONEncoder().encode(options), as: UTF8.self)
        }
        #expect(try !written(SamplerOptions(.ddim)).contains("stepRule"))
        let ruled = SamplerOptions(.ddim, spacing: .trailing, stepRule: .diffusers)
        #expect(try written(ruled).contains(#""stepRule":"diffusers""#))
        #expect(try JSONDecoder().decode(SamplerOptions.self, from: JSONEncoder().encode(ruled)) == ruled)
        #expect(ruled.changed(to: .ddpm).stepRule == .diffusers && ruled.changed(to: .euler).stepRule == .list)
        #expect(ruled.changed(to: .linspace).stepRule == .diffusers && ruled.changed(to: .respaced).stepRule == .list)
    }

    @Test func `62 of the reference's trailing lists of 1000 timesteps have an element too many`() {
        let counts = (1...1000).filter { TimestepSpacing.referenceOvershoots($0, of: 1000) }
        #expect(counts.count == 62 && counts.first == 61)
    }
}
