import Compute

/// The scratch memory of a DiT's forwards, allocated once and used by one forward at a time.
public final class DiTWorkspace {
    public let entries: Int
    public var clock: ForwardClock?

    let network: DiT
    let workers: Workers
    let attention: Attention
    let scratch = ProductScratch()
    let tokens: TokenMemory

    /// Allocates what a forward of `entries` entries needs.
    public init(network: DiT, entries: Int, workers: Workers) {
        let config = network.config
        self.network = network
        self.entries = entries
        self.workers = workers
        attention = Attention(
            tokens: config.tokens, heads: config.heads, headDimension: config.headDimension, engine: network.engine,
            workers: workers)
        tokens = TokenMemory(entries: entries, tokens: config.tokens, Self.widths(config))
    }

    /// What a workspace takes, in bytes.
    static func bytes(_ config: DiTConfig, entries: Int, workers: Workers) -> Int {
        TokenMemory.bytes(entries: entries, tokens: config.tokens, widths(config))
            + Attention.bytes(tokens: config.tokens, headDimension: config.headDimension, workers: workers)
    }

    private static func widths(_ config: DiTConfig) -> TokenMemory.Widths {
        let patch = config.patchSize * config.patchSize
        return TokenMemory.Widths(
            patch: config.inChannels * patch, token: config.hiddenSize, mlp: config.mlpWidth,
            projected: config.outChannels * patch)
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
