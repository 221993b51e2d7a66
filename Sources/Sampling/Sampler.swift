import Compute

/// A numerical method that turns noise into a sample, driven from outside, one model call at a time.
///
/// For each call in order: evaluate the model on the latents at the call's timestep, then ``advance`` past it. A
/// sampler is a state machine without a clock: what it needs of earlier outputs is in scratch memory that its
/// initialiser allocates, and everything else comes in as arguments.
public protocol Sampler {
    /// Every model call of the run, in order.
    var calls: [ModelCall] { get }

    /// Whether ``advance(past:latents:output:varianceOutput:noise:)`` needs the model's learned variance.
    var needsVariance: Bool { get }

    /// Turns the latents that call `call` saw into those that the next call is to see (after the last: the sample).
    ///
    /// - Parameters:
    ///   - call: The index of the call, each in turn.
    ///   - latents: The state x, updated in place.
    ///   - output: The (guided) model output, in the latents' shape.
    ///   - varianceOutput: The learned-range part of the output, in the latents' shape, for samplers that need it.
    ///   - noise: Where added noise comes from; deterministic samplers draw none.
    mutating func advance(
        past call: Int, latents: Tensor, output: Tensor, varianceOutput: Tensor?, noise: inout some NormalSource)
}

extension Sampler {
    public var needsVariance: Bool { false }
}

/// The samplers, by their command-line names.
public enum SamplerKind: String, CaseIterable, Codable, Sendable {
    /// Denoising diffusion implicit models (Song et al., arXiv 2010.02502).
    case ddim
    /// Ancestral sampling (Ho et al., arXiv 2006.11239).
    case ddpm
    /// DPM-Solver++(2M) (Lu et al., arXiv 2211.01095).
    case dpmSolver = "dpm++2m"
    /// Euler's method along the path.
    case euler
    /// Heun's method along the path: second order, two evaluations per step.
    case heun
    /// Euler–Maruyama on a flow's stochastic equation (Ma et al., arXiv 2401.08740).
    case sde

    /// Whether the sampler works for models that predict `type`.
    public func supports(_ type: PredictionType) -> Bool {
        switch self {
        case .ddim, .ddpm: type != .flow
        case .dpmSolver, .euler, .heun: true
        case .sde: type == .flow
        }
    }
}

/// One evaluation of the model in a run: known before the run starts.
///
/// Every sampler makes one call per step, except Heun's with two (but one in its last step, unless the model is a flow
/// towards the data).
public struct ModelCall: Equatable, Sendable {
    /// The position among all calls of the run, from 0.
    public let index: Int

    /// The step that the call belongs to, from 0 (most noise).
    public let step: Int

    /// The model's timestep input; a whole number unless the model is a flow. Falls from step to step, and rises for a
    /// flow towards the data.
    public let timestep: Double

    /// The noise level of the latents that the model sees.
    public let level: NoiseLevel

    /// The noise level that the latents are taken to have once the sampler has advanced past the call: that of the next
    /// call, or of the run's end.
    public let levelAfter: NoiseLevel

    /// The noise level that the sampler's step leads to: ``levelAfter``, except for ddim under
    /// ``SamplerOptions/StepRule/diffusers``, whose steps need not end where the next one begins.
    public let target: NoiseLevel

    init(
        index: Int, step: Int, timestep: Double, level: NoiseLevel, levelAfter: NoiseLevel, target: NoiseLevel? = nil
    ) {
        self.index = index
        self.step = step
        self.timestep = timestep
        self.level = level
        self.levelAfter = levelAfter
        self.target = target ?? levelAfter
    }
}
