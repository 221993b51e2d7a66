import Compute

/// Something that evaluates a set of guidance branches at one model call of one image's run.
///
/// A model is one, with the image's class inside. A cache is another that wraps any denoiser: it forwards the branches
/// that it wants evaluated and fills in the others' outputs itself. State is per image and branch; ``begin`` resets it.
public protocol Denoiser: AnyObject {
    /// Whether the outputs have a learned variance.
    var hasVariance: Bool { get }

    /// Starts a run: forgets the last one, and prepares what depends on the timesteps alone.
    ///
    /// - Parameters:
    ///   - calls: Every call that the run will make, in order.
    ///   - branches: The branches that the run will ask for.
    ///   - shape: The latents' shape.
    /// - Throws: Whatever keeps the denoiser from serving this run.
    func begin(calls: [ModelCall], branches: GuidanceBranches, shape: [Int]) throws

    /// Writes the output of each of `branches` into its place; leaves the other outputs and the latents as they are.
    ///
    /// - Parameters:
    ///   - branches: What to evaluate.
    ///   - call: The model call, one of those that ``begin(calls:branches:shape:)`` was given.
    ///   - latents: The state x at the call's noise level.
    ///   - outputs: Preallocated; nothing may be allocated in here.
    /// - Throws: Whatever kept the outputs from being written; the run can then ask again.
    func evaluate(
        _ branches: GuidanceBranches, at call: ModelCall, latents: Tensor, into outputs: BranchOutputs) throws
}
