import Compute
import Sampling

/// Gives the same output at every call.
final class ConstantDenoiser: Denoiser {
    let hasVariance = false
    private let output: [Float]

    init(_ output: [Float]) { self.output = output }

    func begin(calls: [ModelCall], guidance: Guidance, shape: [Int]) throws {}

    func evaluate(
        _ branches: GuidanceBranches, at call: ModelCall, latents: Tensor, into outputs: BranchOutputs
    ) throws {
        _ = outputs.conditional.prediction.values.update(fromContentsOf: output)
    }
}
