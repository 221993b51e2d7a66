import Compute

/// The scratch memory of a PixArt's forwards, allocated once and used by one forward at a time.
final class PixArtWorkspace {
    let entries: Int
    var clock: ForwardClock?

    let network: PixArt
    let workers: Workers
    let attention: Attention
    let scratch = ProductScratch()
    let positions: Tensor  // (T, D), of the latents' grid
    let patches: Tensor  // (T, C P P)
    let embedded: Tensor  // (T, D), the input of the stack, the same for every entry
    let hiddenStates: EntryRows  // (T, D) of each entry
    let normed: EntryRows  // (T, D); the caption's queries, too
    let qkv: EntryRows  // (T, 3D)
    let mixed: EntryRows  // (T, D), heads side by side
    let mlpHidden: EntryRows  // (T, M)
    let site: EntryRows  // (T, D), a site's output before its gate
    let projected: EntryRows  // (T, P P Cout)

    /// Allocates what a forward of `entries` entries needs.
    init(network: PixArt, entries: Int, workers: Workers) {
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
        positions = SinCosPositions.table(
            rows: config.positions(count: config.grid.rows), columns: config.positions(count: config.grid.columns),
            width: width)
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
    static func bytes(_ config: PixArtConfig, entries: Int, workers: Workers) -> Int {
        let (width, patch) = (config.hiddenSize, config.patchSize * config.patchSize)
        let perEntry = 7 * width + config.mlpWidth + config.outChannels * patch
        let shared = config.inChannels * patch + 2 * width
        let attention = Attention.bytes(tokens: config.tokens, headDimension: config.headDimension, workers: workers)
        return MemoryLayout<Float>.stride * config.tokens * (entries * perEntry + shared) + attention
    }
}

extension PixArtWorkspace: ForwardWorkspace {
    func session(timesteps: [Double], conditions: [Condition]) throws -> any ForwardSession {
        precondition(conditions.count <= entries, "\(conditions.count) conditions in a workspace for \(entries)")
        let rules = network.promptRules
        let captions = try conditions.map { condition in
            let prompt =
                switch condition {
                case .prompt(let text): rules.text(of: text)
                // The pipelines guide away from the empty prompt, whose only token is the end token.
                case .null: ""
                case .label: preconditionFailure("a text-conditional network takes a prompt")
                }
            let states = try network.prompts.states(of: prompt, limit: rules.tokens, workers: workers)
            return PixArtCaption(states: states, network: network, workers: workers)
        }
        return PixArtSession(
            workspace: self, captions: captions,
            modulation: PixArtModulation(network: network, timesteps: timesteps, workers: workers))
    }
}

/// A run of a ``PixArt``: its captions and its modulation.
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
        let (config, rows) = (workspace.network.config, modulation.block(0).attention)
        LayerNorm.modulated(
            source, rows: config.tokens, width: config.hiddenSize, epsilon: Float(config.normEpsilon),
            shift: rows.shift, scale: rows.scale, into: output.pointer)
    }
}
