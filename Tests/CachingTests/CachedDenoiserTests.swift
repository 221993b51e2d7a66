import Caching
import Compute
import Sampling
import TestSupport
import Testing

/// The noise prediction for clean samples that are normal with mean 0.5 (conditional) or 0 and variance 0.25, with a
/// bend that makes the path no straight line; it counts its evaluations.
private final class ToyDenoiser: Denoiser {
    let hasVariance: Bool
    private(set) var evaluated: [GuidanceBranches] = []

    init(hasVariance: Bool = false) { self.hasVariance = hasVariance }

    func begin(calls: [ModelCall], guidance: Guidance, shape: [Int]) {
        evaluated = []
        evaluated.reserveCapacity(calls.count)
    }

    func evaluate(
        _ branches: GuidanceBranches, at call: ModelCall, latents: Tensor, into outputs: BranchOutputs
    ) {
        evaluated.append(branches)
        let (alpha, sigma) = (Float(call.level.alpha), Float(call.level.sigma))
        func noise(_ x: Float, mean: Float) -> Float {
            let deviation = x - alpha * mean
            return sigma * deviation / (0.25 * alpha * alpha + sigma * sigma) + 0.02 * x * x / (1 + x * x)
        }
        for i in 0..<latents.count {
            let x = latents.values[i]
            if branches.contains(.conditional) {
                outputs.conditional.prediction.values[i] = noise(x, mean: 0.5)
                outputs.conditional.variance?.values[i] = Float(call.timestep)
            }
            if branches.contains(.unconditional) { outputs.unconditional.prediction.values[i] = noise(x, mean: 0) }
        }
    }
}

@Suite struct CachedDenoiserTests {
    private static let shape = [2, 4, 4]
    private static let steps = 12

    private static func process(_ type: PredictionType = .epsilon) throws -> DiffusionProcess {
        try DiffusionProcess(type, betas: .linear(start: 0.0001, end: 0.02))
    }

    private static func sample(_ denoiser: any Denoiser, scale: Double = 3, seed: UInt32 = 5) throws -> [Float] {
        var run = try SamplingRun(
            denoiser: denoiser,
            sampler: makeSampler(SamplerOptions(), process: process(), steps: steps, shape: shape),
            guidance: Guidance(scale: scale), shape: shape, noise: TorchRandom(seed: seed))
        while try run.next() != nil {}
        return run.latents.elements
    }

    private static let plan = ReusePlan(steps: "FFRFRRFRFFRF".map { $0 == "F" }, branches: Runs.guided)

    private static func specs() -> [Forecaster] {
        [
            .hold(quantity: .direction), .hold(quantity: .clean),
            .taylor(order: 2, quantity: .clean, variable: .logSNR), .hermite(order: 2, scale: 0.5, quantity: .velocity),
            .omnicache(
                gammas: Array(repeating: 0.9, count: steps), filter: .init(boundary: 0.5, lowPass: 3, highPass: 2),
                quantity: .direction),
        ]
    }

    private static func cached(
        _ base: any Denoiser, _ spec: Forecaster, plan: ReusePlan = plan
    ) -> CachedDenoiser {
        CachedDenoiser(base, predictionType: .epsilon, plan: plan, forecaster: spec)
    }

    @Test func `a budget of 1 changes no bit`() throws {
        let expected = try Self.sample(ToyDenoiser())
        for spec in Self.specs() {
            let full = ReusePlan.full(calls: Self.steps, branches: Runs.guided)
            let result = try Self.sample(Self.cached(ToyDenoiser(), spec, plan: full))
            #expect(result == expected)
        }
    }

    @Test func `reuse changes the sample a little`() throws {
        let expected = try Self.sample(ToyDenoiser())
        for spec in Self.specs() {
            let error = normalisedMeanSquaredError(try Self.sample(Self.cached(ToyDenoiser(), spec)), against: expected)
            #expect(error > 0 && error < 0.05, "\(spec.name): \(error)")
        }
    }

    @Test func `the model is evaluated where the plan says, and nowhere else`() throws {
        let base = ToyDenoiser()
        let plan = try MaskPlanner("FFRFRFFRFFRF/FRRFRRFRRFRF").plan(Runs.request(Self.steps))
        _ = try Self.sample(Self.cached(base, .hold(quantity: .direction), plan: plan))
        #expect(base.evaluated == plan.evaluated.filter { !$0.isEmpty })
        #expect(base.evaluated.reduce(0) { $0 + $1.count } == plan.evaluations)
    }

    @Test func `nothing leaks from one image to the next`() throws {
        for spec in Self.specs() {
            let denoiser = Self.cached(ToyDenoiser(), spec)
            let first = try Self.sample(denoiser, seed: 1)
            let other = try Self.sample(denoiser, seed: 2)
            let again = try Self.sample(denoiser, seed: 1)
            #expect(first == again)
            #expect(first != other)
        }
    }

    /// One branch's outputs at one call, from the cache, when the state stands still.
    private static func outputs(_ spec: Forecaster, plan: ReusePlan) throws -> [[[Float]]] {
        let calls = try Runs.calls(steps)
        let denoiser = cached(ToyDenoiser(hasVariance: true), spec, plan: plan)
        let outputs = BranchOutputs(branches: Runs.guided, shape: shape, hasVariance: true)
        try denoiser.begin(calls: calls, guidance: Guidance(scale: 3), shape: shape)
        return try calls.map { call in
            let latents = Tensor(noise(32, seed: UInt64(call.index)), shape: shape)
            try denoiser.evaluate(Runs.guided, at: call, latents: latents, into: outputs)
            return [
                outputs.conditional.prediction.elements, outputs.unconditional.prediction.elements,
                outputs.conditional.variance?.elements ?? [],
            ]
        }
    }

    @Test func `the branches are kept apart`() throws {
        let plan = try MaskPlanner("FRRRRRRRRRRR/FFFFFFFFFFFF").plan(Runs.request(Self.steps))
        let full = try Self.outputs(.hold(quantity: .direction), plan: .full(calls: Self.steps, branches: Runs.guided))
        let found = try Self.outputs(.hold(quantity: .direction), plan: plan)
        // Held in the model's own quantity an output stays the same number, but for the way there and back.
        for call in 0..<Self.steps {
            #expect(normalisedMeanSquaredError(found[call][0], against: full[0][0]) < 1e-12)
            #expect(found[call][1] == full[call][1])
        }
    }

    @Test func `a learned variance is held`() throws {
        let plan = ReusePlan(steps: (0..<Self.steps).map { $0 % 3 == 0 }, branches: Runs.guided)
        let calls = try Runs.calls(Self.steps)
        let found = try Self.outputs(.taylor(order: 1, quantity: .direction, variable: .step), plan: plan)
        for call in 0..<Self.steps { #expect(found[call][2][0] == Float(calls[call / 3 * 3].timestep)) }
    }

    @Test func `what is held is the quantity that was asked for`() throws {
        let plan = ReusePlan(steps: [true, true, false] + Array(repeating: true, count: 9), branches: Runs.guided)
        let calls = try Runs.calls(Self.steps)
        let full = try Self.outputs(.hold(quantity: .clean), plan: .full(calls: Self.steps, branches: Runs.guided))
        for quantity in ForecastQuantity.allCases {
            let found = try Self.outputs(.hold(quantity: quantity), plan: plan)
            func value(_ call: Int, _ output: [Float]) -> [Double] {
                let sum = quantity.sum(of: .epsilon, at: calls[call].level)
                let latents = noise(32, seed: UInt64(call))
                return zip(latents, output).map { sum.state * Double($0) + sum.output * Double($1) }
            }
            #expect(normalisedMeanSquaredError(value(2, found[2][0]), against: value(1, full[1][0])) < 1e-10)
        }
    }

    @Test func `evaluating allocates no tensor`() throws {
        let calls = try Runs.calls(Self.steps)
        for spec in Self.specs() {
            // The counter is the process's, and other tests run beside this one: one attempt without a new tensor is
            // proof enough.
            let attempts = 2000
            let isFree = try (0..<attempts).contains { _ in
                let denoiser = Self.cached(ToyDenoiser(hasVariance: true), spec)
                let outputs = BranchOutputs(branches: Runs.guided, shape: Self.shape, hasVariance: true)
                let latents = Tensor(Self.shape)
                try denoiser.begin(calls: calls, guidance: Guidance(scale: 3), shape: Self.shape)
                let before = Tensor.allocationCount
                for call in calls {
                    try denoiser.evaluate(Runs.guided, at: call, latents: latents, into: outputs)
                }
                return Tensor.allocationCount == before
            }
            #expect(isFree, "\(spec.name) allocates tensors")
        }
    }

    @Test func `a plan for another run is refused`() throws {
        let spec = Forecaster.hold(quantity: .direction)
        #expect(throws: PlanError.self) { try Self.sample(Self.cached(ToyDenoiser(), spec), scale: 1) }
        let short = ReusePlan.full(calls: Self.steps - 1, branches: Runs.guided)
        #expect(throws: PlanError.self) { try Self.sample(Self.cached(ToyDenoiser(), spec, plan: short)) }
        let late = ReusePlan(steps: [false] + Array(repeating: true, count: 11), branches: Runs.guided)
        #expect(throws: PlanError.self) { try Self.sample(Self.cached(ToyDenoiser(), spec, plan: late)) }
        let unfitted = Forecaster.fitted(
            name: .spectral, quantity: .direction, depth: 2, bandCount: 1, entries: [])
        #expect(throws: PlanError.self) { try Self.sample(Self.cached(ToyDenoiser(), unfitted)) }
    }
}
