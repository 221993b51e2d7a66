import Compute

/// Denoising diffusion implicit models: first order, deterministic at eta 0 (arXiv 2010.02502, eq. 12 and 16).
///
/// Each step re-mixes the estimates of x0 and ε for the next level, ε as the model gave it even where x0 is clipped (as
/// in diffusers' `DDIMScheduler`). Without clipping the step is one sum of x and the output with Double coefficients.
struct DDIMSampler: Sampler {
    let calls: [ModelCall]
    private let predictionType: PredictionType
    private let options: SamplerOptions
    private let drawn: Tensor?

    init(_ options: SamplerOptions, predictionType: PredictionType, grid: SamplingGrid, shape: [Int]) {
        self.calls = grid.oneCallPerStep
        self.predictionType = predictionType
        self.options = options
        self.drawn = options.eta > 0 ? Tensor(shape) : nil
    }

    mutating func advance(
        past call: Int, latents: Tensor, output: Tensor, varianceOutput: Tensor?, noise: inout some NormalSource
    ) {
        let (level, next) = (calls[call].level, calls[call].target)
        let deviation = options.eta * AncestralStep(from: level, to: next).posteriorVariance.squareRoot()
        let kept = max(0, next.sigma * next.sigma - deviation * deviation).squareRoot()

        let clean = predictionType.clean(at: level)
        let rest = kept * predictionType.epsilon(at: level)
        if let clip = options.clip {
            StepKernels.combineClipped(
                latents, clean: clean, weight: next.alpha, limit: clip, rest: rest, output)
        } else {
            StepKernels.combine(latents, next.alpha * clean + rest, output)
        }
        if deviation > 0, let drawn {
            noise.fill(drawn.values)
            StepKernels.add(drawn, times: deviation, to: latents)
        }
    }
}
