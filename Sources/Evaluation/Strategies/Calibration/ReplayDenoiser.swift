import Compute
import Pipeline
import Sampling

/// Gives what a recorded run put out, up to one of its calls, and evaluates from there on.
final class ReplayDenoiser: Denoiser {
    private let base: NetworkDenoiser
    private let recording: RecordedRun
    private let last: Int

    /// A run of `base` that is replayed from `recording` through call `last`.
    init(_ base: NetworkDenoiser, recording: RecordedRun, through last: Int) {
        self.base = base
        self.recording = recording
        self.last = last
    }

    var hasVariance: Bool { base.hasVariance }

    func begin(calls: [ModelCall], branches: GuidanceBranches, shape: [Int]) throws {
        try base.begin(calls: calls, branches: branches, shape: shape)
    }

    func evaluate(
        _ branches: GuidanceBranches, at call: ModelCall, latents: Tensor, into outputs: BranchOutputs
    ) throws {
        guard call.index <= last else {
            return try base.evaluate(branches, at: call, latents: latents, into: outputs)
        }
        for (entry, output) in outputs.each(of: branches) {
            _ = output.prediction.values.update(fromContentsOf: recording.outputs[call.index][entry])
            if let variance = output.variance {
                _ = variance.values.update(fromContentsOf: recording.variances[call.index][entry])
            }
        }
    }
}

extension BranchOutputs {
    /// The outputs of `branches` with their places in a batch: 0 for the conditional branch, 1 for the unconditional.
    func each(of branches: GuidanceBranches) -> [(entry: Int, output: ModelOutput)] {
        (branches.contains(.conditional) ? [(0, conditional)] : [])
            + (branches.contains(.unconditional) ? [(1, unconditional)] : [])
    }
}
