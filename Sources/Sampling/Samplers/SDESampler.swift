import Compute

/// Euler–Maruyama on the stochastic equation that has the flow's distributions (Ma et al., arXiv 2401.08740).
///
/// In the time t towards the data, dx = (v + w s) dt + √(2w) dW with v = dx/dt, s the score −ε/σ and w a
/// ``DiffusionForm``. As in the official SiT (github.com/willisma/SiT, transport/), a run of N steps takes N − 1 equal
/// ones with noise, and a ``LastStep`` of a size of its own without.
struct SDESampler: Sampler {
    let calls: [ModelCall]
    private let predictionType: PredictionType
    private let form: DiffusionForm
    private let norm: Double
    private let lastStep: LastStep
    private let drawn: Tensor

    init(grid: SamplingGrid, predictionType: PredictionType, options: SamplerOptions, shape: [Int]) {
        self.calls = grid.oneCallPerStep
        self.predictionType = predictionType
        self.form = options.diffusionForm
        self.norm = options.diffusionNorm
        self.lastStep = options.lastStep
        self.drawn = Tensor(shape)
    }

    mutating func advance(
        past call: Int, latents: Tensor, output: Tensor, varianceOutput: Tensor?, noise: inout some NormalSource
    ) {
        let (level, next) = (calls[call].level, calls[call].levelAfter)
        let isLast = call + 1 == calls.count
        if isLast, lastStep == .tweedie {
            return StepKernels.combine(latents, predictionType.clean(at: level), output)
        }
        let length = level.pathPosition - next.pathPosition
        let diffusion = isLast && lastStep == .euler ? 0 : form.coefficient(at: level, norm: norm)
        let drift =
            -1 * predictionType.direction(at: level)
            + (-diffusion / level.noise) * predictionType.epsilon(at: level)
        StepKernels.combine(latents, .state + length * drift, output)
        guard !isLast else { return }

        noise.fill(drawn.values)
        StepKernels.add(drawn, times: (2 * diffusion * length).squareRoot(), to: latents)
    }

    /// Noise times before shifting, falling evenly from all noise to the start of the last step.
    ///
    /// The official code's `torch.linspace(t0, 1 − last_step_size, num_steps)`, with t0 = 0 but for `sbdm`, whose w is
    /// infinite there: it starts one N-th of the way in, where a step removes about as much noise as there is. (The
    /// official code starts it at 0 for models of the velocity, which gives no numbers.)
    static func times(_ options: SamplerOptions, steps: Int, trainTimesteps: Int) throws(SamplingError) -> [Double] {
        guard steps > 1, steps <= trainTimesteps else {
            throw .invalidField(
                name: "steps", found: "\(steps)",
                expected: "2 to \(trainTimesteps) for sampler \(SamplerKind.sde.rawValue)")
        }
        let last = options.lastStepSize
        let first = options.diffusionForm == .scoreBased ? 1 - (1 - last) / Double(steps) : 1
        return (0..<steps).map { step in
            let share = Double(step) / Double(steps - 1)
            return first * (1 - share) + last * share
        }
    }
}
