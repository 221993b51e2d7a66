import Compute

/// Euler's method along the path: z ← z + (s' − s) dz/ds.
///
/// For variance-preserving models this equals ``DDIMSampler`` at eta 0 (arXiv 2010.02502, eq. 13), for flows it is the
/// update of diffusers' `FlowMatchEulerDiscreteScheduler`. Timesteps of variance-preserving models are whole numbers;
/// diffusers' `EulerDiscreteScheduler` and `HeunDiscreteScheduler` do not round those of linspace spacing.
struct EulerSampler: Sampler {
    let calls: [ModelCall]
    private let predictionType: PredictionType

    init(predictionType: PredictionType, grid: SamplingGrid) {
        self.calls = grid.oneCallPerStep
        self.predictionType = predictionType
    }

    mutating func advance(
        past call: Int, latents: Tensor, output: Tensor, varianceOutput: Tensor?, noise: inout some NormalSource
    ) {
        let step = PathStep(from: calls[call].level, to: calls[call].levelAfter)
        StepKernels.combine(latents, step.update(along: predictionType.direction(at: calls[call].level)), output)
    }
}

/// A straight step along the path, in terms of the states: x' = (z + Δs · direction) / pathScale'.
struct PathStep {
    /// The factor on x when nothing is added.
    let stateWeight: Double
    /// The factor on dz/ds.
    let directionWeight: Double

    init(from level: NoiseLevel, to next: NoiseLevel) {
        stateWeight = level.pathScale / next.pathScale
        directionWeight = (next.pathPosition - level.pathPosition) / next.pathScale
    }

    /// The step as a sum of state and output, for a direction that is one.
    func update(along direction: StateAndOutput) -> StateAndOutput {
        stateWeight * .state + directionWeight * direction
    }
}
