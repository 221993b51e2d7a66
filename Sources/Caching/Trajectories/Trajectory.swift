import Compute
import Sampling

/// The record of one run in path coordinates: every state z and each branch's direction dz/ds.
///
/// It lives beside the run, not in it, so that a run without one pays nothing:
///
///     let trajectory = Trajectory(of: run, predictionType: type)
///     while let step = try run.next() { trajectory.record(step, of: run) }
///
/// Memory: one state and one output per branch for every model call. What a summary of many runs needs is reduced to a
/// ``TrajectoryGram`` and a ``PathProjection`` before the next run starts.
public final class Trajectory {
    /// The run's model calls.
    public let calls: [ModelCall]
    /// The run's branches.
    public let branches: GuidanceBranches
    /// The scale of the run's guidance.
    public let guidanceScale: Double
    /// The latents' shape, (C, H, W).
    public let shape: [Int]

    /// z = pathScale · x before every call that was recorded, and after the last one.
    public private(set) var states: [Tensor] = []

    private var conditional: [Tensor] = []
    private var unconditional: [Tensor] = []
    /// What the model's outputs are.
    let predictionType: PredictionType
    private let before: Tensor  // x, as the next call will see it

    /// Starts the record of a run that has not taken a step yet.
    public init(of run: SamplingRun, predictionType: PredictionType) {
        calls = run.calls
        branches = run.branches
        guidanceScale = run.guidance.scale
        shape = run.latents.shape
        self.predictionType = predictionType
        before = Tensor(shape)
        before.copy(from: run.latents)
        states.append(Self.scaled(before, by: calls[0].level.pathScale))
    }

    /// The number of calls recorded so far.
    public var recordedCalls: Int { conditional.count }

    /// Whether the run has been recorded to its end.
    public var isComplete: Bool { recordedCalls == calls.count }

    /// Records the step that `run` has just taken; the steps of one run, each in turn.
    public func record(_ step: SamplingRun.Step, of run: SamplingRun) {
        precondition(step.index == recordedCalls, "step \(step.index) after \(recordedCalls) recorded calls")
        let direction = predictionType.direction(at: step.call.level)
        conditional.append(sum(direction, run.outputs.conditional.prediction))
        if branches.contains(.unconditional) {
            let other = sum(direction, run.outputs.unconditional.prediction)
            // So g c + (1 − g) u is the guided direction everywhere.
            run.guidance.leaveUnguided(other, as: conditional[step.index])
            unconditional.append(other)
        }
        before.copy(from: run.latents)
        states.append(Self.scaled(before, by: step.call.levelAfter.pathScale))
    }

    /// What there is to look at: without guidance the conditional output is the guided one.
    var outputs: [GuidanceOutput] { branches.contains(.unconditional) ? GuidanceOutput.allCases : [.guided] }

    /// dz/ds according to `branch` at each recorded call; empty for a branch that the run does not have.
    public func directions(of branch: GuidanceBranches) -> [Tensor] {
        branch == .conditional ? conditional : unconditional
    }

    /// What `branch` said at each recorded call, in another quantity.
    func outputs(of branch: GuidanceBranches, as quantity: ForecastQuantity) -> [Tensor] {
        guard quantity != .direction else { return directions(of: branch) }
        return zip(calls, zip(states, directions(of: branch))).map { call, pair in
            let weights = quantity.pathSum(of: predictionType, at: call.level)
            let (a, b) = (Float(weights.state), Float(weights.direction))
            let result = Tensor(shape)
            let (z, e, q) = (pair.0.values, pair.1.values, result.values)
            for i in 0..<q.count { q[i] = a * z[i] + b * e[i] }
            return result
        }
    }

    /// The guided estimate of x0 at a recorded call, before the sampler clips it.
    func guidedClean(at index: Int) -> [Double] {
        let weights = ForecastQuantity.clean.pathSum(of: predictionType, at: calls[index].level)
        let (z, c) = (states[index].values, conditional[index].values)
        let u = branches.contains(.unconditional) ? unconditional[index].values : c
        let g = guidanceScale
        return z.indices.map { i in
            weights.state * Double(z[i]) + weights.direction * (g * Double(c[i]) + (1 - g) * Double(u[i]))
        }
    }

    /// |z − z_ref|² of another run's latents, where this record's state before call `index` (or the final one) is z_ref.
    public func squaredDistance(to latents: Tensor, at index: Int, pathScale: Double) -> Double {
        let (x, z) = (latents.values, states[index].values)
        var sum = 0.0
        for i in 0..<z.count {
            let difference = pathScale * Double(x[i]) - Double(z[i])
            sum += difference * difference
        }
        return sum
    }

    /// |z − z_ref|/|z_ref| of another run's final latents, z_ref being this record's last state.
    public func relativeError(ofFinal latents: Tensor) -> Double {
        let norm = states[states.count - 1].squaredNorm
        let distance = squaredDistance(
            to: latents, at: states.count - 1, pathScale: calls[calls.count - 1].levelAfter.pathScale)
        return (distance / norm).squareRoot()
    }

    /// The final latents, from the last state.
    public var finalLatents: Tensor {
        let scale = Float(1 / calls[calls.count - 1].levelAfter.pathScale)
        let (latents, last) = (Tensor(shape), states[states.count - 1].values)
        for i in 0..<latents.count { latents.values[i] = scale * last[i] }
        return latents
    }

    /// The states at which steps begin, and the final one: the corners of the path.
    ///
    /// For samplers with one call a step these are all states; Heun's trial states are left out.
    public var corners: [Tensor] {
        let starts = calls.indices.prefix(recordedCalls).filter { $0 == 0 || calls[$0].step != calls[$0 - 1].step }
        return starts.map { states[$0] } + states.suffix(1)
    }

    private func sum(_ weights: StateAndOutput, _ output: Tensor) -> Tensor {
        let result = Tensor(shape)
        StepKernels.combine(before, weights, output, into: result)
        return result
    }

    private static func scaled(_ latents: Tensor, by factor: Double) -> Tensor {
        let result = Tensor(latents.shape)
        let (x, z) = (latents.values, result.values)
        for i in 0..<z.count { z[i] = Float(factor * Double(x[i])) }
        return result
    }
}
