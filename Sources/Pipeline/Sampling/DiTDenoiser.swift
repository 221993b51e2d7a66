import Models
import Sampling
import Tensor

/// A Diffusion Transformer and a class, as the samplers see them.
///
/// Batch entry 0 is the conditional branch, entry 1 the unconditional one.
public final class DiTDenoiser: Denoiser {
    /// Watches or replaces the network's work; nil costs nothing.
    public var interceptor: (any BlockInterceptor)?

    private let network: DiT
    private let classID: Int
    private let workers: Workers
    private let workspace: DiTWorkspace
    private let outputs: [Tensor]  // per branch, (Cout, H, W)
    private var modulation: ModulationTable?

    /// Wraps a network for one image.
    ///
    /// - Parameters:
    ///   - network: the model.
    ///   - classID: the image's class.
    ///   - workspace: scratch memory with room for two entries; may be shared by runs that are never in a step at once.
    ///   - workers: the threads to compute the modulation with.
    public init(network: DiT, classID: Int, workspace: DiTWorkspace, workers: Workers) {
        precondition(workspace.entries >= 2, "a guided forward has two entries")
        let config = network.config
        self.network = network
        self.workers = workers
        self.classID = classID
        self.workspace = workspace
        outputs = (0..<2).map { _ in Tensor([config.outChannels, config.inputSize, config.inputSize]) }
    }

    public var hasVariance: Bool { network.config.learnSigma }

    public func begin(calls: [ModelCall], branches: GuidanceBranches, shape: [Int]) throws {
        let config = network.config
        precondition(
            shape == [config.inChannels, config.inputSize, config.inputSize],
            "latents of \(shape) for a model of \(config.inChannels) x \(config.inputSize) x \(config.inputSize)")
        let needsNull = branches.contains(.unconditional)
        precondition(!needsNull || network.weights.hasNullClass, "a model without a null class cannot be guided")
        let classes = needsNull ? [classID, config.numClasses] : [classID]
        modulation = ModulationTable(
            network: network, timesteps: calls.map(\.timestep), classes: classes, workers: workers)
    }

    public func evaluate(
        _ branches: GuidanceBranches, at call: ModelCall, latents: Tensor, into results: BranchOutputs
    ) throws {
        guard let modulation else { preconditionFailure("begin has not been called") }
        var subset = BatchSubset(first: 2)
        if !branches.contains(.conditional) { subset.remove(0) }
        if !branches.contains(.unconditional) { subset.remove(1) }
        network.forward(
            latents: latents, call: call.index, subset: subset, modulation: modulation, workspace: workspace,
            outputs: outputs, interceptor: interceptor)
        if branches.contains(.conditional) { Self.split(outputs[0], into: results.conditional) }
        if branches.contains(.unconditional) { Self.split(outputs[1], into: results.unconditional) }
    }

    /// Writes what the attention of block 0 reads, for interceptors that decide by it: the tokens that enter the stack,
    /// normalised and modulated.
    ///
    /// - Parameters:
    ///   - tokens: the input of ``BlockSite/stack``, (T, D).
    ///   - call: the model call that is being evaluated.
    ///   - entry: the batch entry.
    ///   - output: (T, D).
    func modulateInput(_ tokens: UnsafeBufferPointer<Float>, call: Int, entry: Int, into output: Tensor) {
        guard let modulation else { preconditionFailure("begin has not been called") }
        modulation.modulateAttention(ofBlock: 0, call: call, entry: entry, tokens: tokens, into: output)
    }

    /// The first C channels are the prediction, the others, if any, the learned variance.
    private static func split(_ output: Tensor, into result: ModelOutput) {
        let count = result.prediction.count
        result.prediction.pointer.update(from: output.pointer, count: count)
        if let variance = result.variance {
            variance.pointer.update(from: output.pointer + count, count: variance.count)
        }
    }
}
