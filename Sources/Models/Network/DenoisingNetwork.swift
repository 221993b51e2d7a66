import Compute

/// A network that predicts noise (or a velocity, or the sample) from noisy latents, a timestep and a condition.
///
/// This is all that samplers, caches, strategies, benchmarks and the command line know of a model family. Weights are
/// shared by any number of forwards; what a forward needs besides is in a ``ForwardWorkspace``, and what a run needs in
/// a ``ForwardSession``.
public protocol DenoisingNetwork: AnyObject, Sendable {
    /// The shape of the latents that it reads and predicts.
    var latentShape: LatentShape { get }
    /// Whether it also predicts a variance.
    var hasVariance: Bool { get }
    var conditions: ConditionKind { get }
    /// Whether it takes ``Condition/null``, and so can be guided.
    var canBeGuided: Bool { get }
    /// The places whose work can be watched or replaced: the layers in the order of a forward, then the stack.
    var sites: [Site] { get }
    /// What a forward does, in order.
    var steps: [ForwardStep] { get }
    /// What a session computes ahead, for a whole window of calls or for the run, from rows of timesteps and conditions,
    /// block by block: the steps of the first block.
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
    /// Measures the forwards that use this memory; nil, the default, costs nothing.
    var clock: ForwardClock? { get set }

    /// Begins a run.
    ///
    /// - Parameters:
    ///   - timesteps: the timestep of each model call.
    ///   - conditions: the condition of each batch entry.
    /// - Returns: the run.
    /// - Throws: an error where the network does not take one of the conditions.
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

/// One step of a forward, as prices and benchmarks see it.
public struct ForwardStep: Sendable {
    /// What is computed from each row of tokens.
    public enum Work: Sendable {
        /// An affine map, with the activation that follows it.
        case product(Linear, activation: Activation?)
        /// The attention of all rows to `keys` rows.
        case attention(heads: Int, headDimension: Int, keys: Int)
        /// A layer norm with its modulation.
        case modulation(width: Int, epsilon: Double)
        /// A root-mean-square norm with its scale.
        case rmsNorm(width: Int)
        case gatedAdd(width: Int)
    }

    public let name: String
    /// Where it takes place; nil outside the blocks.
    public let site: Site.ID?
    /// The rows of one batch entry.
    public let rows: Int
    /// Whether it is done once for all entries, since it does not depend on the condition.
    public let isShared: Bool
    public let work: Work

    public init(_ name: String, at site: Site.ID? = nil, rows: Int, isShared: Bool = false, _ work: Work) {
        self.name = name
        self.site = site
        self.rows = rows
        self.isShared = isShared
        self.work = work
    }

    /// The multiply-adds of its matrix products for one entry; what is done element by element does not count.
    public var multiplyAdds: Int {
        switch work {
        case .product(let layer, _): rows * layer.weight.count
        case .attention(let heads, let headDimension, let keys): 2 * rows * keys * heads * headDimension
        case .modulation, .rmsNorm, .gatedAdd: 0
        }
    }
}

extension ForwardStep {
    /// The steps of a network of patches.
    ///
    /// - Parameters:
    ///   - rows: how many tokens one batch entry has.
    ///   - embeddings: what makes them of patches, for all entries at once.
    ///   - blocks: the steps of each block.
    ///   - norm: the norm behind the blocks.
    ///   - projection: what makes patches of the tokens.
    /// - Returns: all of them, in the order of a forward.
    static func patched(
        rows: Int, embeddings: [(name: String, layer: Linear)], blocks: [[ForwardStep]], norm: Work, projection: Linear
    ) -> [ForwardStep] {
        embeddings.map { ForwardStep($0.name, rows: rows, isShared: true, .product($0.layer, activation: nil)) }
            + blocks.joined() + [
                ForwardStep("final norm", rows: rows, norm),
                ForwardStep("final projection", rows: rows, .product(projection, activation: nil)),
            ]
    }
}

extension Sequence<ForwardStep> {
    /// The multiply-adds of all steps for one entry.
    public var multiplyAdds: Int { reduce(0) { $0 + $1.multiplyAdds } }
}

/// The extents of a model's latents. An image has one frame; neither images nor frames need be square.
public struct LatentShape: Hashable, Sendable {
    /// C, F (1 for images), H and W.
    public let channels, frames, height, width: Int

    public init(channels: Int, frames: Int = 1, height: Int, width: Int) {
        self.channels = channels
        self.frames = frames
        self.height = height
        self.width = width
    }

    /// The shape of a tensor that holds them: (C, H, W) for images, else (C, F, H, W).
    public var dimensions: [Int] { [channels] + frameExtent + [height, width] }

    public var count: Int { channels * frames * height * width }

    /// The shape of the tokens of such latents, with so many of them in each frame: (rows, columns, D), or (F, rows, columns,
    /// D).
    func grid(rows: Int, columns: Int, width: Int) -> [Int] { frameExtent + [rows, columns, width] }

    private var frameExtent: [Int] { frames == 1 ? [] : [frames] }
}

/// The condition of a guidance branch: what the picture should show.
public enum Condition: Hashable, Sendable {
    case label(Int)
    case prompt(String)
    /// Nothing: the unconditional branch.
    case null
}

extension Condition: CustomStringConvertible {
    /// In words, for messages.
    public var description: String {
        switch self {
        case .label(let label): "class \(label)"
        case .prompt(let text): "prompt '\(text)'"
        case .null: "no condition"
        }
    }
}

/// The conditions that a network takes.
public enum ConditionKind: Sendable {
    case classes(Int)
    /// Any text.
    case prompts(PromptRules)

    /// The number of classes; 0 for networks with other conditions.
    public var classCount: Int {
        if case .classes(let count) = self { count } else { 0 }
    }

    /// The condition at a share of all, 0 to below 1: of the classes in order, or of the example prompts.
    public func condition(at share: Double) -> Condition {
        switch self {
        case .classes(let count): .label(Int(share * Double(count)))
        case .prompts(let rules):
            .prompt(rules.examples.isEmpty ? "" : rules.examples[Int(share * Double(rules.examples.count))])
        }
    }

    /// All classes in order, or all example prompts; never empty.
    public var all: [Condition] {
        switch self {
        case .classes(let count): (0..<count).map(Condition.label)
        case .prompts(let rules): rules.examples.isEmpty ? [.prompt("")] : rules.examples.map(Condition.prompt)
        }
    }

    /// The rules of prompts; nil for networks with other conditions.
    public var promptRules: PromptRules? {
        if case .prompts(let rules) = self { rules } else { nil }
    }
}
