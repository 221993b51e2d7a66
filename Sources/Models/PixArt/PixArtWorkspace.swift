import Compute

/// The scratch memory of forwards of a PixArt or a network of its parts, allocated once and used by one forward at a time.
final class PixArtWorkspace {
    let entries: Int
    var clock: ForwardClock?

    let network: any PixArtNetwork
    let workers: Workers
    let attentions: BlockAttentions
    let scratch = ProductScratch()
    let positions: Tensor  // (T, D), of the latents' grid; for clips (T / F, D)
    let tokens: TokenMemory

    /// Allocates what a forward of `entries` entries needs.
    init(network: any PixArtNetwork, entries: Int, workers: Workers) {
        let config = network.parts
        self.network = network
        self.entries = entries
        self.workers = workers
        attentions = BlockAttentions(
            network.sequences, heads: config.heads, headDimension: config.headDimension, engine: network.engine,
            workers: workers)
        positions = SinCosPositions.table(
            rows: config.positions(count: config.grid.rows), columns: config.positions(count: config.grid.columns),
            width: config.hiddenSize)
        tokens = TokenMemory(
            entries: entries, tokens: network.sequences[0].tokens, Self.widths(config),
            block: network.weights.blocks[0], attention: attentions[0])
    }

    /// What a workspace takes, in bytes, for a network whose blocks attend by turns within `sequences`.
    static func bytes(_ config: PixArtConfig, _ sequences: [TokenSequences], entries: Int, workers: Workers) -> Int {
        let positions = MemoryLayout<Float>.stride * config.tokens * config.hiddenSize
        return positions + TokenMemory.bytes(entries: entries, tokens: sequences[0].tokens, widths(config))
            + BlockAttentions.bytes(sequences, headDimension: config.headDimension, workers: workers)
    }

    private static func widths(_ config: PixArtConfig) -> TokenMemory.Widths {
        let patch = config.patchSize * config.patchSize
        return TokenMemory.Widths(
            patch: config.inChannels * patch, token: config.hiddenSize, mlp: config.mlpWidth,
            projected: config.outChannels * patch)
    }
}

extension PixArtWorkspace: ForwardWorkspace {
    func session(timesteps: [Double], conditions: [Condition]) throws -> any ForwardSession {
        precondition(conditions.count <= entries, "\(conditions.count) conditions in a workspace for \(entries)")
        let rules = network.promptRules
        var length: Int?
        let captions = try conditions.map { condition in
            let prompt =
                switch condition {
                case .prompt(let text): rules.text(of: text)
                // The pipelines guide away from the empty prompt, whose only token is the end token.
                case .null: ""
                case .label: preconditionFailure("a text-conditional network takes a prompt")
                }
            let states = try network.prompts.states(
                of: prompt, limit: rules.tokens, length: length, workers: workers)
            if network.joinsCaptionLengths { length = states.shape[0] }
            return PixArtCaption(states: states, network: network, workers: workers)
        }
        return PixArtSession(
            workspace: self, captions: captions,
            modulation: PixArtModulation(network: network, timesteps: timesteps, workers: workers))
    }
}

/// A run of a ``PixArtNetwork``: its captions and its modulation.
private final class PixArtSession: ForwardSession {
    private let workspace: PixArtWorkspace
    private let captions: [PixArtCaption]
    private let modulation: PixArtModulation

    init(workspace: PixArtWorkspace, captions: [PixArtCaption], modulation: PixArtModulation) {
        self.workspace = workspace
        self.captions = captions
        self.modulation = modulation
    }

    func evaluate(
        latents: Tensor, call: Int, subset: BatchSubset, into outputs: [Tensor],
        interceptor: (any SiteInterceptor)?
    ) {
        workspace.network.forward(
            latents: latents, call: call, subset: subset, modulation: modulation, captions: captions,
            workspace: workspace, outputs: outputs, interceptor: interceptor)
    }

    func writeFirstInput(of tokens: UnsafeBufferPointer<Float>, call: Int, entry: Int, into output: Tensor) {
        precondition(tokens.count == output.count, "\(output.shape) has no room for \(tokens.count) elements")
        guard let source = tokens.baseAddress else { return }
        let (config, rows) = (workspace.network.parts, modulation.block(0).attention)
        let width = config.hiddenSize
        LayerNorm.modulated(
            source, rows: tokens.count / width, width: width, epsilon: Float(config.normEpsilon),
            shift: rows.shift, scale: rows.scale, into: output.pointer)
    }
}
