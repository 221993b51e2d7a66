import Compute

/// Denoising diffusion implicit models: first order, deterministic at eta 0 (arXiv 2010.02502, eq. 12 and 16).
///
/// Each step re-mixes the estimates of x0 and ε for the next level, ε as the model gave it even where x0 is clipped (as
/// in diffusers' `DDIMScheduler`). Without clipping the step is one sum of x and the output with Double coefficients.
struct DDIMSampler: Sampler {
    let calls: [ModelCall]
    private let predictionType: PredictionType
    private let eta: Double
    private let clip: Double?
    private let drawn: Tensor?

    init(grid: SamplingGrid, predictionType: PredictionType, eta: Double, clip: Double?, shape: [Int]) {
        self.calls = grid.oneCallPerStep
        self.predictionType = predictionType
        self.eta = eta
        self.clip = clip
        self.drawn = eta > 0 ? Tensor(shape) : nil
    }

    mutating func advance(
        past call: Int, latents: Tensor, output: Tensor, varianceOutput: Tensor?, noise: inout some NormalSource
    ) {
        let (level, next) = (calls[call].level, calls[call].target)
        let deviation = eta * AncestralStep(from: level, to: next).posteriorVariance.squareRoot()
        let kept = max(0, next.noise * next.noise - deviation * deviation).squareRoot()

        let clean = predictionType.clean(at: level)
        let rest = kept * predictionType.epsilon(at: level)
        if let clip {
            StepKernels.combineClipped(
                latents, clean: clean, weight: next.signal, limit: clip, rest: rest, output)
        } else {
            StepKernels.combine(latents, next.signal * clean + rest, output)
        }
        if deviation > 0, let drawn {
            noise.fill(drawn.values)
            StepKernels.add(drawn, times: deviation, to: latents)
        }
    }
}
