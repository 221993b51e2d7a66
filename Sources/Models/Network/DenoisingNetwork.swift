import Compute

/// A network that predicts noise (or what stands for it) from noisy latents, a timestep and a condition.
///
/// This is all that samplers, caches, strategies, benchmarks and the command line know of a model family. Weights are
/// shared by any number of forwards; what a forward needs besides is in a ``ForwardWorkspace``, and what a run needs in
/// a ``ForwardSession``.
public protocol DenoisingNetwork: AnyObject, Sendable {
    /// The shape of the latents that it reads and predicts.
    var latentShape: LatentShape { get }
    /// Whether it also puts out a learned variance.
    var hasVariance: Bool { get }
    /// What it can be told.
    var conditions: ConditionKind { get }
    /// Whether it can be told nothing, ``Condition/null``, and so be guided.
    var canBeGuided: Bool { get }
    /// The places whose work can be watched or replaced: the layers in the order of a forward, then the stack.
    var sites: [Site] { get }
    /// What a forward does, in order.
    var steps: [ForwardStep] { get }
    /// What a session computes ahead for a whole window of calls, from rows of timesteps and conditions, block by block:
    /// the steps of the first block.
    var preparation: [ForwardStep] { get }
    /// How many numbers the weights hold.
    var parameterCount: Int { get }

    /// Allocates the scratch memory of forwards of `entries` batch entries (guidance branches).
    func workspace(entries: Int, workers: Workers) -> any ForwardWorkspace
}

/// The scratch memory of a network's forwards. Runs that take turns may share one; two forwards at once may not.
public protocol ForwardWorkspace: AnyObject {
    /// How many batch entries it has room for.
    var entries: Int { get }
    /// Measures the forwards that work here; nil, as it is by default, costs nothing.
    var clock: ForwardClock? { get set }

    /// Begins a run.
    ///
    /// - Parameters:
    ///   - timesteps: the timestep of each model call.
    ///   - conditions: what each batch entry is told.
    /// - Returns: the run.
    /// - Throws: what keeps the network from serving the conditions.
    func session(timesteps: [Double], conditions: [Condition]) throws -> any ForwardSession
}

/// A run of one picture: what its timesteps and conditions alone decide, computed once.
public protocol ForwardSession: AnyObject {
    /// Evaluates the network at one model call for some entries of the batch; allocates no tensor.
    ///
    /// All entries see the same latents; they differ in their condition.
    ///
    /// - Parameters:
    ///   - latents: in the network's ``DenoisingNetwork/latentShape``.
    ///   - call: the model call, an index into the run's timesteps.
    ///   - subset: which entries to evaluate.
    ///   - outputs: one per entry: the prediction in the latents' shape and, behind it, the learned variance if there is
    ///     one; those outside `subset` are left alone.
    ///   - interceptor: watches or replaces the work at the network's sites.
    func evaluate(
        latents: Tensor, call: Int, subset: BatchSubset, into outputs: [Tensor],
        interceptor: (any SiteInterceptor)?)

    /// Writes what the first layer of the stack reads, for caches that decide by it: the tokens, normalised and modulated
    /// by timestep and condition where the network does that.
    ///
    /// - Parameters:
    ///   - tokens: the input of the stack.
    ///   - call: the model call that is being evaluated.
    ///   - entry: the batch entry.
    ///   - output: in the shape of the stack's site.
    func writeFirstInput(of tokens: UnsafeBufferPointer<Float>, call: Int, entry: Int, into output: Tensor)
}
