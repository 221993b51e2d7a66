import Compute
import Glibc
import TestSupport
import Testing

@testable import Sampling

/// A model with two branches that counts its evaluations.
private final class ToyDenoiser: Denoiser {
    struct Failure: Error {}

    let hasVariance: Bool
    var evaluations: [GuidanceBranches] = []
    var begun: (calls: Int, branches: GuidanceBranches, shape: [Int])?
    var failsAt: Int?

    init(hasVariance: Bool = false) { self.hasVariance = hasVariance }

    func begin(calls: [ModelCall], guidance: Guidance, shape: [Int]) {
        begun = (calls.count, guidance.branches, shape)
        evaluations = []
        evaluations.reserveCapacity(calls.count)
    }

    func evaluate(
        _ branches: GuidanceBranches, at call: ModelCall, latents: Tensor, into outputs: BranchOutputs
    ) throws {
        if failsAt == call.index { throw Failure() }
        evaluations.append(branches)
        for i in 0..<latents.count {
            let x = latents.values[i]
            if branches.contains(.conditional) { outputs.conditional.prediction.values[i] = 0.6 * x + 0.1 }
            if branches.contains(.unconditional) { outputs.unconditional.prediction.values[i] = 0.6 * x }
            outputs.conditional.variance?.values[i] = 0.5
        }
    }
}

/// Evaluates every other call and holds the outputs in between: what a cache does.
private final class HoldingDenoiser: Denoiser {
    let wrapped: any Denoiser

    init(_ wrapped: any Denoiser) { self.wrapped = wrapped }

    var hasVariance: Bool { wrapped.hasVariance }

    func begin(calls: [ModelCall], guidance: Guidance, shape: [Int]) throws {
        try wrapped.begin(calls: calls, guidance: guidance, shape: shape)
    }

    func evaluate(
        _ branches: GuidanceBranches, at call: ModelCall, latents: Tensor, into outputs: BranchOutputs
    ) throws {
        guard call.index.isMultiple(of: 2) else { return }
        try wrapped.evaluate(branches, at: call, latents: latents, into: outputs)
    }
}

struct SamplingRunTests {
    private static let shape = [2, 3, 3]

    private static func run(
        _ denoiser: any Denoiser, _ options: SamplerOptions = .init(), steps: Int = 6, scale: Double = 3,
        seed: UInt32 = 11
    ) throws -> SamplingRun {
        try SamplingRun(
            denoiser: denoiser,
            sampler: makeSampler(options, process: linearProcess(), steps: steps, shape: shape),
            guidance: Guidance(scale: scale), shape: shape, noise: TorchRandom(seed: seed))
    }

    private static func sample(_ run: SamplingRun) throws -> [Float] {
        var run = run
        while try run.next() != nil {}
        return Array(run.latents.values)
    }

    @Test func `a run steps through every call and then ends`() throws {
        let denoiser = ToyDenoiser()
        var run = try Self.run(denoiser, SamplerOptions(.heun))
        var steps: [SamplingRun.Step] = []
        while let step = try run.next() { steps.append(step) }
        #expect(steps.map(\.index) == Array(0..<11))
        #expect(steps.allSatisfy { $0.count == 11 })
        #expect(steps.map(\.timestep) == run.calls.map(\.timestep))
        #expect(try run.next() == nil)
        #expect(denoiser.evaluations.count == 11)
        #expect(denoiser.begun?.calls == 11)
        #expect(denoiser.begun?.shape == Self.shape)
    }

    @Test func `at scale 1 only the conditional branch is evaluated`() throws {
        for (scale, branches) in [(1.0, GuidanceBranches.conditional), (4, [.conditional, .unconditional])] {
            let denoiser = ToyDenoiser()
            _ = try Self.sample(Self.run(denoiser, scale: scale))
            #expect(denoiser.begun?.branches == branches)
            #expect(denoiser.evaluations == Array(repeating: branches, count: 6))
        }
    }

    @Test(arguments: [0, 1, 2.5, -1.0])
    func `every channel is guided by the scale`(scale: Double) throws {
        var run = try Self.run(ToyDenoiser(), scale: scale)
        let before = Array(run.latents.values)
        _ = try run.next()
        let expected = before.map { Double($0) * 0.6 + scale * 0.1 }
        #expect(largestRelativeDifference(run.guided.values, against: expected) < 1e-6)
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity])
    func `a guidance scale that is no number is refused`(scale: Double) {
        let error = #expect(throws: SamplingError.self) { try Guidance(scale: scale) }
        #expect(error?.description == "the guidance scale is \(scale); give a finite number, 1 for no guidance")
    }

    @Test(arguments: [
        SamplerOptions(.ddim), SamplerOptions(.ddim, eta: 0.7, clip: 1), SamplerOptions(.ddpm),
        SamplerOptions(.ddpm, variance: .fixedLarge), SamplerOptions(.ddpm, variance: .learnedRange),
        SamplerOptions(.dpmSolver), SamplerOptions(.dpmSolver, clip: 1), SamplerOptions(.euler), SamplerOptions(.heun),
    ])
    func `a step allocates no tensor`(options: SamplerOptions) throws {
        // The counter is the process's, and other tests run beside this one: a step that allocates shows every time,
        // so one attempt without a new tensor is proof enough.
        let attempts = 2000
        for _ in 0..<attempts {
            var run = try Self.run(ToyDenoiser(hasVariance: true), options)
            let before = Tensor.allocationCount
            while try run.next() != nil {}
            if Tensor.allocationCount == before { return }
        }
        Issue.record("tensors were allocated in each of \(attempts) runs")
    }

    @Test(arguments: [SamplerOptions(.ddim), SamplerOptions(.ddpm), SamplerOptions(.heun)])
    func `a seed gives the same sample`(options: SamplerOptions) throws {
        let first = try Self.sample(Self.run(ToyDenoiser(hasVariance: true), options))
        let again = try Self.sample(Self.run(ToyDenoiser(hasVariance: true), options))
        let other = try Self.sample(Self.run(ToyDenoiser(hasVariance: true), options, seed: 12))
        #expect(first == again)
        #expect(first != other)
    }

    @Test func `the seed's generator makes the initial noise first and the added noise next`() throws {
        let options = SamplerOptions(.ddpm)
        let count = Self.shape.reduce(1, *)
        var generator = TorchRandom(seed: 11)
        let initial = Tensor(Self.shape)
        generator.fill(initial.values)
        let sampler = try makeSampler(options, process: linearProcess(), steps: 6, shape: Self.shape)
        let given = try SamplingRun(
            denoiser: ToyDenoiser(), sampler: sampler, guidance: Guidance(scale: 3), initialNoise: initial,
            noise: generator)
        #expect(Array(given.latents.values) == Array(initial.values))
        #expect(try Self.sample(given) == Self.sample(Self.run(ToyDenoiser(), options)))
        #expect(initial.count == count)
    }

    @Test func `the given initial noise is left as it was`() throws {
        let initial = Tensor((0..<18).map { Float($0) / 9 - 1 }, shape: Self.shape)
        let before = Array(initial.values)
        let run = try SamplingRun(
            denoiser: ToyDenoiser(),
            sampler: makeSampler(SamplerOptions(), process: linearProcess(), steps: 4, shape: Self.shape),
            guidance: Guidance(scale: 1), initialNoise: initial, noise: TorchRandom(seed: 0))
        #expect(try Self.sample(run) != before)
        #expect(Array(initial.values) == before)
    }

    @Test func `a call that failed can be made again`() throws {
        let denoiser = ToyDenoiser()
        var run = try Self.run(denoiser)
        _ = try run.next()
        let before = Array(run.latents.values)
        denoiser.failsAt = 1
        #expect(throws: ToyDenoiser.Failure.self) { try run.next() }
        #expect(Array(run.latents.values) == before)
        denoiser.failsAt = nil
        #expect(try Self.sample(run) == Self.sample(Self.run(ToyDenoiser())))
    }

    @Test func `a cache around a model sees every call and decides which are evaluated`() throws {
        let denoiser = ToyDenoiser()
        var run = try Self.run(HoldingDenoiser(denoiser))
        var recorded: [[Float]] = []
        while try run.next() != nil { recorded.append(Array(run.guided.values)) }
        #expect(denoiser.evaluations.count == 3)
        #expect(recorded[0] == recorded[1])
        #expect(recorded[1] != recorded[2])
    }

    @Test func `what a recorder finds between steps explains the latents`() throws {
        var run = try Self.run(ToyDenoiser(), SamplerOptions(.euler))
        var before = Array(run.latents.values)
        while let step = try run.next() {
            let (here, there) = (step.call.level, step.call.levelAfter)
            let expected = zip(before, run.guided.values).map { x, e in
                here.pathScale * Double(x) + (there.pathPosition - here.pathPosition) * Double(e)
            }
            before = Array(run.latents.values)
            #expect(largestRelativeDifference(before.map { there.pathScale * Double($0) }, against: expected) < 1e-5)
        }
    }

    @Test func `a learned variance is asked of models that have one`() throws {
        let error = #expect(throws: SamplingError.self) {
            _ = try Self.run(ToyDenoiser(), SamplerOptions(.ddpm, variance: .learnedRange))
        }
        #expect(error == .noLearnedVariance)
    }
}
