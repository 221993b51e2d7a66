import Tensor

/// Heun's method along the path: an Euler step, then again from the start with the mean of both ends' directions.
///
/// Second order (Karras et al., arXiv 2206.00364, algorithm 1, without churn). A run of N steps makes 2N − 1 calls: the
/// last step is Euler's, there being no timestep at its end.
struct HeunSampler: Sampler {
    let calls: [ModelCall]
    private let predictionType: PredictionType
    /// The step's start, already scaled to its end, plus half of the first direction: all that the second call needs.
    private let half: Tensor

    init(grid: SamplingGrid, predictionType: PredictionType, shape: [Int]) {
        var calls: [ModelCall] = []
        for (step, point) in grid.points.enumerated() {
            let end = grid.level(after: step)
            calls.append(
                ModelCall(
                    index: calls.count, step: step, timestep: point.timestep, level: point.level, levelAfter: end))
            guard step + 1 < grid.steps else { break }
            calls.append(
                ModelCall(
                    index: calls.count, step: step, timestep: grid.points[step + 1].timestep, level: end,
                    levelAfter: end))
        }
        self.calls = calls
        self.predictionType = predictionType
        self.half = Tensor(shape)
    }

    mutating func advance(
        past call: Int, latents: Tensor, output: Tensor, varianceOutput: Tensor?, noise: inout some NormalSource
    ) {
        let direction = predictionType.direction(at: calls[call].level)
        if call.isMultiple(of: 2) {
            let step = PathStep(from: calls[call].level, to: calls[call].levelAfter)
            let halfUpdate = step.stateWeight * .state + (step.directionWeight / 2) * direction
            StepKernels.combine(latents, halfUpdate, output, into: half)
            StepKernels.combine(latents, step.update(along: direction), output)
        } else {
            let step = PathStep(from: calls[call - 1].level, to: calls[call].level)
            StepKernels.combine(latents, (step.directionWeight / 2) * direction, output)
            StepKernels.add(half, times: 1, to: latents)
        }
    }
}
