import Compute
import Models
import Sampling

/// A network and a condition, as the samplers see them.
///
/// Batch entry 0 is the conditional branch, entry 1 the unconditional one. Outputs are those of the process: the velocity
/// of a flow also where the network gives x0.
public final class NetworkDenoiser: Denoiser {
    /// Watches or replaces the network's work; nil costs nothing.
    public var interceptor: (any SiteInterceptor)?

    private let network: any DenoisingNetwork
    private let process: DiffusionProcess
    private let conditions: (with: Condition, without: Condition)
    private let workspace: any ForwardWorkspace
    private let outputs: [Tensor]  // per branch, prediction and variance
    private var session: (any ForwardSession)?

    /// Wraps a network for one image.
    ///
    /// - Parameters:
    ///   - network: the model.
    ///   - process: what it undoes.
    ///   - condition: the condition of the conditional branch.
    ///   - opposite: that of the unconditional branch.
    ///   - workspace: the network's scratch memory with room for two entries; may be shared by runs that are never in a
    ///     step at once.
    public init(
        network: any DenoisingNetwork, process: DiffusionProcess, condition: Condition, opposite: Condition = .null,
        workspace: any ForwardWorkspace
    ) {
        precondition(workspace.entries >= 2, "a guided forward has two entries")
        self.network = network
        self.process = process
        conditions = (condition, opposite)
        self.workspace = workspace
        let count = network.latentShape.count * (network.hasVariance ? 2 : 1)
        outputs = (0..<2).map { _ in Tensor([count]) }
    }

    public var hasVariance: Bool { network.hasVariance }

    public func begin(calls: [ModelCall], guidance: Guidance, shape: [Int]) throws {
        let expected = network.latentShape.dimensions
        precondition(shape == expected, "latents of \(shape) for a model of \(expected)")
        let needsNull = guidance.branches.contains(.unconditional)
        precondition(!needsNull || network.canBeGuided, "a model without a null condition cannot be guided")
        session = try workspace.session(
            timesteps: calls.map(\.timestep),
            conditions: needsNull ? [conditions.with, conditions.without] : [conditions.with])
    }

    public func evaluate(
        _ branches: GuidanceBranches, at call: ModelCall, latents: Tensor, into results: BranchOutputs
    ) throws {
        guard let session else { preconditionFailure("begin has not been called") }
        var subset = BatchSubset(first: 2)
        if !branches.contains(.conditional) { subset.remove(0) }
        if !branches.contains(.unconditional) { subset.remove(1) }
        session.evaluate(
            latents: latents, call: call.index, subset: subset, into: outputs, interceptor: interceptor)
        for (branch, output, result) in [
            (GuidanceBranches.conditional, outputs[0], results.conditional),
            (.unconditional, outputs[1], results.unconditional),
        ] where branches.contains(branch) {
            Self.split(output, into: result)
            process.convert(result.prediction, of: latents, at: call.level)
        }
    }

    /// Writes what the first layer of the stack reads, for interceptors that decide by it.
    ///
    /// - Parameters:
    ///   - tokens: the input of the stack.
    ///   - call: the model call that is being evaluated.
    ///   - entry: the batch entry.
    ///   - output: in the shape of the stack's site.
    package func writeFirstInput(of tokens: UnsafeBufferPointer<Float>, call: Int, entry: Int, into output: Tensor) {
        guard let session else { preconditionFailure("begin has not been called") }
        session.writeFirstInput(of: tokens, call: call, entry: entry, into: output)
    }

    /// The prediction comes first, then the learned variance, if any.
    private static func split(_ output: Tensor, into result: ModelOutput) {
        let count = result.prediction.count
        result.prediction.pointer.update(from: output.pointer, count: count)
        if let variance = result.variance {
            variance.pointer.update(from: output.pointer + count, count: variance.count)
        }
    }
}
