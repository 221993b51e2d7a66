import Compute
import Glibc

/// Ancestral sampling: draws from the posterior of every step (Ho et al., arXiv 2006.11239).
///
/// The last step of the list adds no noise, whatever its timestep, as in the official DiT; under
/// ``SamplerOptions/StepRule/diffusers`` it adds some unless its timestep is 0, and so leaves noise in the sample where a
/// list ends above it.
struct DDPMSampler: Sampler {
    let calls: [ModelCall]
    private let predictionType: PredictionType
    private let options: SamplerOptions
    private let addsNoiseLast: Bool
    private let drawn: Tensor

    /// The least variance whose logarithm is taken: the posterior of a step to no noise has none.
    private static let leastVariance = 1e-20

    init(_ options: SamplerOptions, predictionType: PredictionType, grid: SamplingGrid, shape: [Int]) {
        self.calls = grid.oneCallPerStep
        self.predictionType = predictionType
        self.options = options
        self.addsNoiseLast = grid.addsNoiseLast
        self.drawn = Tensor(shape)
    }

    var needsVariance: Bool { options.variance == .learnedRange }

    mutating func advance(
        past call: Int, latents: Tensor, output: Tensor, varianceOutput: Tensor?, noise: inout some NormalSource
    ) {
        let (level, next) = (calls[call].level, calls[call].levelAfter)
        let posterior = AncestralStep(from: level, to: next)
        let clean = predictionType.clean(at: level)
        if let clip = options.clip {
            StepKernels.combineClipped(
                latents, clean: clean, weight: posterior.cleanWeight, limit: clip,
                rest: posterior.stateWeight * .state, output)
        } else {
            StepKernels.combine(
                latents, posterior.cleanWeight * clean + posterior.stateWeight * .state, output)
        }
        guard call + 1 < calls.count || addsNoiseLast else { return }

        noise.fill(drawn.values)
        switch options.variance {
        case .fixedSmall:
            StepKernels.add(drawn, times: posterior.posteriorVariance.squareRoot(), to: latents)
        case .fixedLarge:
            StepKernels.add(drawn, times: posterior.beta.squareRoot(), to: latents)
        case .learnedRange:
            guard let varianceOutput else { preconditionFailure("learned_range needs the model's variance output") }
            addLearned(posterior, varianceOutput, to: latents)
        }
    }

    /// Adds noise whose log variance lies between the posterior's (output −1) and the beta's (output 1).
    private func addLearned(_ posterior: AncestralStep, _ varianceOutput: Tensor, to latents: Tensor) {
        precondition(varianceOutput.count == latents.count, "\(varianceOutput.shape) does not match \(latents.shape)")
        let (smallest, largest) = (
            log(max(posterior.posteriorVariance, Self.leastVariance)), log(posterior.beta)
        )
        let middle = Float((largest + smallest) / 4)
        let half = Float((largest - smallest) / 4)
        let (x, drawn, share) = (latents.values, drawn.values, varianceOutput.values)
        for i in 0..<x.count { x[i] += expf(middle + half * share[i]) * drawn[i] }
    }
}

/// The true posterior q(x' | x, x0) of a step between two levels (Ho et al., arXiv 2006.11239, eq. 6 and 7).
struct AncestralStep {
    /// 1 − ᾱ/ᾱ', the beta of a process that takes the step at once.
    let beta: Double
    let posteriorVariance: Double
    /// The weight of x0 in the mean of x'.
    let cleanWeight: Double
    /// The weight of x in the mean of x'.
    let stateWeight: Double

    init(from level: NoiseLevel, to next: NoiseLevel) {
        let alpha = level.alphaBar / next.alphaBar
        let (variance, nextVariance) = (level.sigma * level.sigma, next.sigma * next.sigma)
        beta = 1 - alpha
        posteriorVariance = nextVariance / variance * beta
        cleanWeight = next.alpha * beta / variance
        stateWeight = alpha.squareRoot() * nextVariance / variance
    }
}
