import Compute

/// Heun's method along the path: an Euler step, then again from the start with the mean of both ends' directions.
///
/// Second order (Karras et al., arXiv 2206.00364, algorithm 1, without churn). A run of N steps makes 2N − 1 calls: the
/// last step is Euler's, there being no timestep at its end.
///
/// Flows towards the data have times all the way and make 2N calls. The second call of their last step is at two thirds
/// of its length instead of at its end (Ralston's method, of the same order): at the end x is x0 whatever the output is,
/// and from an output that says nothing about x0 a cache cannot tell what to keep.
struct HeunSampler: Sampler {
    let calls: [ModelCall]
    private let predictionType: PredictionType
    /// The step's start, already scaled to its end, plus the first direction's share: all that the second call needs.
    private let begun: Tensor

    init(predictionType: PredictionType, grid: SamplingGrid, shape: [Int]) {
        var calls: [ModelCall] = []
        for (step, point) in grid.points.enumerated() {
            let end = grid.level(after: step)
            let stage = step + 1 < grid.steps ? grid.points[step + 1] : grid.lastStage
            calls.append(
                ModelCall(
                    index: calls.count, step: step, timestep: point.timestep, level: point.level,
                    levelAfter: stage?.level ?? end))
            guard let stage else { break }
            calls.append(
                ModelCall(
                    index: calls.count, step: step, timestep: stage.timestep, level: stage.level, levelAfter: end))
        }
        self.calls = calls
        self.predictionType = predictionType
        self.begun = Tensor(shape)
    }

    mutating func advance(
        past call: Int, latents: Tensor, output: Tensor, varianceOutput: Tensor?, noise: inout some NormalSource
    ) {
        let direction = predictionType.direction(at: calls[call].level)
        if call.isMultiple(of: 2) {
            if call + 1 < calls.count {
                let step = PathStep(from: calls[call].level, to: calls[call + 1].levelAfter)
                let share = (1 - shareOfSecond(call + 1)) * step.directionWeight
                StepKernels.combine(latents, step.stateWeight * .state + share * direction, output, into: begun)
            }
            let trial = PathStep(from: calls[call].level, to: calls[call].levelAfter)
            StepKernels.combine(latents, trial.update(along: direction), output)
        } else {
            let step = PathStep(from: calls[call - 1].level, to: calls[call].levelAfter)
            StepKernels.combine(latents, (shareOfSecond(call) * step.directionWeight) * direction, output)
            StepKernels.add(begun, times: 1, to: latents)
        }
    }

    /// The second direction's share of the step: 1/(2c), where it was evaluated at c of the step's length.
    private func shareOfSecond(_ call: Int) -> Double {
        calls[call].level == calls[call].levelAfter ? 1 / 2 : 3 / 4
    }
}
