import Compute

/// A numerical method that turns noise into a sample, driven from outside, one model call at a time.
///
/// For each call in order: evaluate the model on the latents at the call's timestep, then ``advance`` past it. A
/// sampler is a state machine without a clock: it holds what it needs of earlier outputs in scratch that it allocated
/// when it was made, and everything else comes in as arguments.
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

/// Makes the sampler that `options` names for a run of `steps` steps over latents of the given shape.
///
/// - Parameters:
///   - options: The method and its settings.
///   - process: What the model was trained on.
///   - steps: The number of steps, 1 to what schedule and spacing allow.
///   - shape: The shape of the latents; the sampler's scratch is allocated here.
/// - Returns: A sampler before its first call.
/// - Throws: A ``SamplingError`` that says which combination does not work and what does.
public func makeSampler(
    _ options: SamplerOptions, process: DiffusionProcess, steps: Int, shape: [Int]
) throws(SamplingError) -> any Sampler {
    try options.validate(for: process)
    let grid = try SamplingGrid(options, process: process, steps: steps)
    return makeSampler(options, predictionType: process.predictionType, grid: grid, shape: shape)
}

/// Makes a sampler over any grid; the options have been validated.
func makeSampler(
    _ options: SamplerOptions, predictionType type: PredictionType, grid: SamplingGrid, shape: [Int]
) -> any Sampler {
    switch options.kind {
    case .ddim:
        DDIMSampler(grid: grid, predictionType: type, eta: options.eta, clip: options.clip, shape: shape)
    case .ddpm:
        DDPMSampler(
            grid: grid, predictionType: type, variance: options.variance, clip: options.clip, shape: shape)
    case .dpmSolver:
        DPMSolverSampler(
            grid: grid, predictionType: type, clip: options.clip, lowerOrderFinal: options.lowerOrderFinal,
            shape: shape)
    case .euler:
        EulerSampler(grid: grid, predictionType: type)
    case .heun:
        HeunSampler(grid: grid, predictionType: type, shape: shape)
    case .sde:
        SDESampler(grid: grid, predictionType: type, options: options, shape: shape)
    }
}
