import Compute

/// The scratch memory of forwards of a DiT or a network of its parts, allocated once and used by one forward at a time.
public final class DiTWorkspace {
    public let entries: Int
    public var clock: ForwardClock?

    let network: any DiTNetwork
    let workers: Workers
    let attentions: BlockAttentions
    let scratch = ProductScratch()
    let tokens: TokenMemory

    /// Allocates what a forward of `entries` entries needs.
    public init(network: any DiTNetwork, entries: Int, workers: Workers) {
        let config = network.parts
        self.network = network
        self.entries = entries
        self.workers = workers
        attentions = BlockAttentions(
            network.sequences, heads: config.heads, headDimension: config.headDimension, engine: network.engine,
            workers: workers)
        tokens = TokenMemory(
            entries: entries, tokens: network.sequences[0].tokens, Self.widths(config),
            block: network.weights.blocks[0], attention: attentions[0])
    }

    /// What a workspace takes, in bytes, for a network whose blocks attend by turns within `sequences`.
    static func bytes(_ config: DiTConfig, _ sequences: [TokenSequences], entries: Int, workers: Workers) -> Int {
        TokenMemory.bytes(entries: entries, tokens: sequences[0].tokens, widths(config))
            + BlockAttentions.bytes(sequences, headDimension: config.headDimension, workers: workers)
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
            case .null: network.parts.numClasses
            case .prompt: preconditionFailure("a class-conditional network takes a label")
            }
        }
        return DiTSession(
            workspace: self,
            modulation: ModulationTable(network: network, timesteps: timesteps, classes: classes, workers: workers))
    }
}

/// A run of a ``DiTNetwork``: its modulation.
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
