import Compute

/// The sampling of one image, stepped from outside: `while let step = try run.next() { … }`.
///
/// A pure function of its inputs. Progress, recording, previews, saving and stopping are the caller's: between two
/// steps it can read the latents, each branch's output and the guided output in place. Every buffer is allocated by the
/// initialiser. A copy of a run shares its buffers: continue with one of the two.
public struct SamplingRun {
    /// What a run has just done: one model call and the sampler's advance past it.
    public struct Step: Equatable, Sendable {
        public let call: ModelCall

        /// The number of model calls in the run.
        public let count: Int

        /// The call's position among them, from 0.
        public var index: Int { call.index }

        /// The model's timestep input.
        public var timestep: Double { call.timestep }
    }

    /// The state x: before the first step the initial noise, after the last one the sample.
    public let latents: Tensor

    /// Each branch's output at the last call.
    public let outputs: BranchOutputs

    /// The guided output e at the last call.
    public let guided: Tensor

    /// Every model call of the run, in order.
    public var calls: [ModelCall] { sampler.calls }

    /// The branches that are evaluated at every call.
    public let branches: GuidanceBranches

    /// How the branches' outputs become the guided one.
    public let guidance: Guidance

    private let denoiser: any Denoiser
    private var sampler: any Sampler
    private var noise: any NormalSource
    private var position = 0

    /// A run from given initial noise.
    ///
    /// - Parameters:
    ///   - denoiser: The model, or a cache around it; `begin` is called here.
    ///   - sampler: A fresh sampler for latents of this shape.
    ///   - guidance: The guidance.
    ///   - initialNoise: Unit noise in the latents' shape; copied.
    ///   - noiseScale: What the initial noise is multiplied by, ``DiffusionProcess/initialNoiseScale``.
    ///   - noise: Where the sampler's added noise comes from.
    /// - Throws: ``SamplingError/noLearnedVariance``, ``SamplingError/guidedChannelsOutOfRange(_:limit:)``, or what the
    ///   denoiser throws.
    public init(
        denoiser: any Denoiser, sampler: any Sampler, guidance: Guidance, initialNoise: Tensor,
        noiseScale: Double = 1, noise: some NormalSource
    ) throws {
        guard denoiser.hasVariance || !sampler.needsVariance else { throw SamplingError.noLearnedVariance }
        let shape = initialNoise.shape
        try guidance.validate(for: shape)
        self.denoiser = denoiser
        self.sampler = sampler
        self.guidance = guidance
        self.noise = noise
        self.branches = guidance.branches
        self.latents = Tensor(shape)
        self.guided = Tensor(shape)
        self.outputs = BranchOutputs(branches: guidance.branches, shape: shape, hasVariance: denoiser.hasVariance)
        latents.copy(from: initialNoise)
        if noiseScale != 1 { for index in latents.values.indices { latents.values[index] *= Float(noiseScale) } }
        try denoiser.begin(calls: sampler.calls, guidance: guidance, shape: shape)
    }

    /// A run whose initial noise, then its added noise, are drawn from `noise`.
    public init(
        denoiser: any Denoiser, sampler: any Sampler, guidance: Guidance, shape: [Int], noiseScale: Double = 1,
        noise: some NormalSource
    ) throws {
        var noise = noise
        let initial = Tensor(shape)
        noise.fill(initial.values)
        try self.init(
            denoiser: denoiser, sampler: sampler, guidance: guidance, initialNoise: initial, noiseScale: noiseScale,
            noise: noise)
    }

    /// Evaluates the model once and advances the latents; `nil` when the sample is complete.
    ///
    /// If the denoiser throws, the latents are as before the call, and calling again tries the same call again.
    public mutating func next() throws -> Step? {
        guard try evaluate() != nil else { return nil }
        return advance()
    }

    /// The first half of ``next()``: evaluates the denoiser for the branches' outputs at the present call.
    ///
    /// - Returns: The call; `nil` when the sample is complete. The outputs may be changed before ``advance()``.
    public func evaluate() throws -> ModelCall? {
        guard position < sampler.calls.count else { return nil }
        let call = sampler.calls[position]
        try denoiser.evaluate(branches, at: call, latents: latents, into: outputs)
        return call
    }

    /// The second half of ``next()``: combines ``outputs`` and advances the latents past the call.
    public mutating func advance() -> Step {
        let call = sampler.calls[position]
        guidance.combine(outputs, into: guided)
        sampler.advance(
            past: position, latents: latents, output: guided, varianceOutput: outputs.conditional.variance,
            noise: &noise)
        position += 1
        return Step(call: call, count: sampler.calls.count)
    }
}
