import Compute

/// The scratch memory of a DiT's forwards, allocated once and used by one forward at a time.
public final class DiTWorkspace {
    public let entries: Int
    public var clock: ForwardClock?

    let network: DiT
    let workers: Workers
    let attention: Attention
    let scratch = ProductScratch()
    let patches: Tensor  // (T, C P P)
    let embedded: Tensor  // (T, D), the input of the stack, the same for every entry
    let hiddenStates: EntryRows  // (T, D) of each entry
    let normed: EntryRows  // (T, D)
    let qkv: EntryRows  // (T, 3D)
    let mixed: EntryRows  // (T, D), heads side by side
    let mlpHidden: EntryRows  // (T, M)
    let site: EntryRows  // (T, D), a site's output before its gate
    let projected: EntryRows  // (T, P P Cout)

    /// Allocates what a forward of `entries` entries needs.
    public init(network: DiT, entries: Int, workers: Workers) {
        let config = network.config
        func matrices(_ columns: Int) -> EntryRows {
            EntryRows(entries: entries, tokens: config.tokens, columns: columns)
        }
        self.network = network
        self.entries = entries
        self.workers = workers
        attention = Attention(
            tokens: config.tokens, heads: config.heads, headDimension: config.headDimension, engine: network.engine,
            workers: workers)
        let (width, patch) = (config.hiddenSize, config.patchSize * config.patchSize)
        patches = Tensor([config.tokens, config.inChannels * patch])
        embedded = Tensor([config.tokens, width])
        hiddenStates = matrices(width)
        normed = matrices(width)
        qkv = matrices(3 * width)
        mixed = matrices(width)
        mlpHidden = matrices(config.mlpWidth)
        site = matrices(width)
        projected = matrices(config.outChannels * patch)
    }

    /// What a workspace takes, in bytes.
    static func bytes(_ config: DiTConfig, entries: Int, workers: Workers) -> Int {
        let (width, patch) = (config.hiddenSize, config.patchSize * config.patchSize)
        let perEntry = 7 * width + config.mlpWidth + config.outChannels * patch
        let shared = config.inChannels * patch + width
        let attention = Attention.bytes(tokens: config.tokens, headDimension: config.headDimension, workers: workers)
        return MemoryLayout<Float>.stride * config.tokens * (entries * perEntry + shared) + attention
    }
}

extension DiTWorkspace: ForwardWorkspace {
    public func session(timesteps: [Double], conditions: [Condition]) throws -> any ForwardSession {
        precondition(conditions.count <= entries, "\(conditions.count) conditions in a workspace for \(entries)")
        let classes = conditions.map { condition in
            switch condition {
            case .label(let label): label
            case .null: network.config.numClasses
            case .prompt: preconditionFailure("a class-conditional network takes a label")
            }
        }
        return DiTSession(
            workspace: self,
            modulation: ModulationTable(network: network, timesteps: timesteps, classes: classes, workers: workers))
    }
}

/// A run of a ``DiT``: its modulation.
private final class DiTSession: ForwardSession {
    private let workspace: DiTWorkspace
    private let modulation: ModulationTable

    init(workspace: DiTWorkspace, modulation: ModulationTable) {
        self.workspace = workspace
        self.modulation = modulation
    }

    func evaluate(
        latents: Tensor, call: Int, subset: BatchSubset, into outputs: [Tensor],
        interceptor: (any SiteInterceptor)?
    ) {
        workspace.network.forward(
            latents: latents, call: call, subset: subset, modulation: modulation, workspace: workspace,
            outputs: outputs, interceptor: interceptor)
    }

    func writeFirstInput(of tokens: UnsafeBufferPointer<Float>, call: Int, entry: Int, into output: Tensor) {
        modulation.modulateAttention(ofBlock: 0, call: call, entry: entry, tokens: tokens, into: output)
    }
}
