import Compute

/// What the model says about one guidance branch; allocated once per run, overwritten at every call.
public struct ModelOutput {
    /// The output e, in the latents' shape.
    public let prediction: Tensor

    /// The learned-range variance, in the latents' shape, if the model has one.
    public let variance: Tensor?

    /// Allocates the output for latents of `shape`.
    public init(shape: [Int], hasVariance: Bool) {
        prediction = Tensor(shape)
        variance = hasVariance ? Tensor(shape) : nil
    }
}

/// The outputs of every guidance branch of a run.
public struct BranchOutputs {
    /// Of the branch that is told the class.
    public let conditional: ModelOutput

    /// Of the branch with the null class; the same object as ``conditional`` where the run does not evaluate it.
    public let unconditional: ModelOutput

    /// Allocates one output for each of `branches`.
    public init(branches: GuidanceBranches, shape: [Int], hasVariance: Bool) {
        conditional = ModelOutput(shape: shape, hasVariance: hasVariance)
        unconditional =
            branches.contains(.unconditional) ? ModelOutput(shape: shape, hasVariance: hasVariance) : conditional
    }
}
