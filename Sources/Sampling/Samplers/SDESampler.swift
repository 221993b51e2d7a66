import Compute
import Glibc

/// Euler–Maruyama on the stochastic equation that has the flow's distributions (Ma et al., arXiv 2401.08740).
///
/// In the time t towards the data, dx = (v + w s) dt + √(2w) dW with v = dx/dt, s the score −ε/σ and w a
/// ``DiffusionForm``. As in the official SiT (github.com/willisma/SiT, transport/), a run of N steps takes N − 1 equal
/// ones with noise, and a ``LastStep`` of a size of its own without.
struct SDESampler: Sampler {
    let calls: [ModelCall]
    private let predictionType: PredictionType
    private let options: SamplerOptions
    private let drawn: Tensor

    init(_ options: SamplerOptions, predictionType: PredictionType, grid: SamplingGrid, shape: [Int]) {
        self.calls = grid.oneCallPerStep
        self.predictionType = predictionType
        self.options = options
        self.drawn = Tensor(shape)
    }

    mutating func advance(
        past call: Int, latents: Tensor, output: Tensor, varianceOutput: Tensor?, noise: inout some NormalSource
    ) {
        let (level, next) = (calls[call].level, calls[call].levelAfter)
        let isLast = call + 1 == calls.count
        if isLast, options.lastStep == .tweedie {
            return StepKernels.combine(latents, predictionType.clean(at: level), output)
        }
        let length = level.pathPosition - next.pathPosition
        let diffusion =
            isLast && options.lastStep == .euler
            ? 0 : options.diffusionForm.coefficient(at: level, norm: options.diffusionNorm)
        let drift =
            -1 * predictionType.direction(at: level)
            + (-diffusion / level.sigma) * predictionType.epsilon(at: level)
        StepKernels.combine(latents, .state + length * drift, output)
        guard !isLast else { return }

        noise.fill(drawn.values)
        StepKernels.add(drawn, times: (2 * diffusion * length).squareRoot(), to: latents)
    }
}

extension DiffusionForm {
    /// w at a flow's level.
    func coefficient(at level: NoiseLevel, norm: Double) -> Double {
        let time = 1 - level.pathPosition
        switch self {
        case .constant: return norm
        case .scoreBased: return norm * level.sigma * level.rates.determinant / level.alpha
        case .sigma: return norm * level.sigma
        case .linear: return norm * level.pathPosition
        case .decreasing:
            let root = norm * cos(.pi * time) + 1
            return root * root / 4
        case .increasingDecreasing:
            let root = sin(.pi * time)
            return norm * root * root
        }
    }
}
