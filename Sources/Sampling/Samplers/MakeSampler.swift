/// Makes the sampler that `options` name for a run of `steps` steps over latents of the given shape.
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
    case .ddim: DDIMSampler(options, predictionType: type, grid: grid, shape: shape)
    case .ddpm: DDPMSampler(options, predictionType: type, grid: grid, shape: shape)
    case .dpmSolver: DPMSolverSampler(options, predictionType: type, grid: grid, shape: shape)
    case .euler: EulerSampler(predictionType: type, grid: grid)
    case .heun: HeunSampler(predictionType: type, grid: grid, shape: shape)
    case .sde: SDESampler(options, predictionType: type, grid: grid, shape: shape)
    }
}
