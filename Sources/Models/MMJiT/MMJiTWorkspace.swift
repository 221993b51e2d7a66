import Compute

/// The scratch memory of an MM-JiT's forwards, allocated once and used by one forward at a time.
final class MMJiTWorkspace {
    let entries: Int
    var clock: ForwardClock?

    let network: MMJiT
    let workers: Workers
    let scratch = ProductScratch()
    let patches: Tensor  // (T, C P P)
    let bottleneck: Tensor  // (T, bottleneck)
    let embedded: Tensor  // (T, D), the input of the stack, the same for every entry
    let image, text: Stream
    /// (L + T, 2 H K): the keys of both streams, the text's first, beside their values.
    let keyValue: EntryRows
    let projected: EntryRows  // (T, P P C)
    /// Of image and text tokens to the tokens of both, and of the text's to the text's.
    let imageAttention, textAttention, preambleAttention: Attention

    /// The tokens of one stream on their way through a block.
    struct Stream {
        let x: EntryRows  // (tokens, D)
        let normed: EntryRows  // (tokens, D), the inputs of the first layers of attention and MLP
        let qkv: EntryRows  // (tokens, 3 H K)
        let mixed: EntryRows  // (tokens, H K), heads side by side
        let gate: EntryRows  // (tokens, M), the inputs of the MLP's last layer
        let hidden: EntryRows  // (tokens, M)
        let site: EntryRows  // (tokens, D), a site's output
        let rotation: RotaryTable
        /// The stream's first row among the keys of both.
        let firstKey: Int

        init(
            entries: Int, tokens: Int, width: Int, inner: Int, mlpWidth: Int, layers: MMJiTStream,
            rotation: RotaryTable, firstKey: Int
        ) {
            func matrices(_ columns: Int, _ precision: Precision = .float32) -> EntryRows {
                EntryRows(entries: entries, tokens: tokens, columns: columns, precision: precision)
            }
            x = matrices(width)
            normed = matrices(width, layers.qkv.inputPrecision)
            qkv = matrices(3 * inner)
            mixed = matrices(inner)
            gate = matrices(mlpWidth, layers.w2.inputPrecision)
            hidden = matrices(mlpWidth)
            site = matrices(width)
            self.rotation = rotation
            self.firstKey = firstKey
        }

        /// The numbers that a token takes.
        static func numbers(width: Int, inner: Int, mlpWidth: Int) -> Int { 3 * width + 4 * inner + 2 * mlpWidth }
    }

    /// Allocates what a forward of `entries` entries needs.
    init(network: MMJiT, entries: Int, workers: Workers) {
        let config = network.config
        self.network = network
        self.entries = entries
        self.workers = workers
        let (tokens, length, patch) = (config.tokens, config.promptLength, config.patchSize * config.patchSize)
        func attention(queries: Int, keys: Int) -> Attention {
            Attention(
                queries: queries, keys: keys, heads: config.heads, headDimension: config.headDimension,
                engine: network.engine, workers: workers)
        }
        imageAttention = attention(queries: tokens, keys: length + tokens)
        textAttention = attention(queries: length, keys: length + tokens)
        preambleAttention = attention(queries: length, keys: length)
        patches = Tensor([tokens, config.channels * patch])
        bottleneck = Tensor([tokens, config.patchBottleneck])
        embedded = Tensor([tokens, config.hiddenSize])
        let block = network.weights.blocks[0]
        image = Stream(
            entries: entries, tokens: tokens, width: config.hiddenSize, inner: config.innerWidth,
            mlpWidth: config.mlpWidth(of: config.hiddenSize), layers: block.image, rotation: network.imageRotation,
            firstKey: length)
        text = Stream(
            entries: entries, tokens: length, width: config.textHiddenSize, inner: config.innerWidth,
            mlpWidth: config.mlpWidth(of: config.textHiddenSize), layers: block.text, rotation: network.textRotation,
            firstKey: 0)
        keyValue = EntryRows(entries: entries, tokens: length + tokens, columns: 2 * config.innerWidth)
        projected = EntryRows(entries: entries, tokens: tokens, columns: config.channels * patch)
    }

    /// Normalises and turns a stream's queries in place, and its keys into their place beside its values.
    func turn(_ stream: Stream, _ pass: ForwardPass, _ subset: BatchSubset, queryNorm: Tensor, keyNorm: Tensor) {
        let (heads, head) = (network.config.heads, network.config.headDimension)
        let inner = heads * head
        pass.forEachRows(.normalisation, subset, of: stream.qkv) { entry, rows in
            for row in rows {
                let query = stream.qkv.row(row, of: entry)
                let key = keyValue.row(stream.firstKey + row, of: entry)
                key.update(from: query + inner, count: 2 * inner)
                for (values, norm) in [(query, queryNorm), (key, keyNorm)] {
                    RMSNorm.apply(
                        values, rows: heads, width: head, epsilon: MMJiTConfig.normEpsilon, scale: norm.pointer,
                        into: values)
                    for index in 0..<heads { stream.rotation.rotate(values + index * head, token: row) }
                }
            }
        }
    }

    /// The keys and values of an entry, the first of them if the attention has fewer.
    func keys(
        of entry: Int, for attention: Attention
    ) -> (attention: Attention, keys: Attention.Rows, values: Attention.Rows) {
        let start = UnsafePointer(keyValue.row(0, of: entry))
        return (
            attention, Attention.Rows(start, distance: keyValue.columns),
            Attention.Rows(start + keyValue.columns / 2, distance: keyValue.columns)
        )
    }

    /// What a workspace takes, in bytes.
    static func bytes(_ config: MMJiTConfig, entries: Int, workers: Workers) -> Int {
        let (tokens, length) = (config.tokens, config.promptLength)
        let (inner, patch) = (config.innerWidth, config.channels * config.patchSize * config.patchSize)
        func stream(_ tokens: Int, _ width: Int) -> Int {
            tokens * Stream.numbers(width: width, inner: inner, mlpWidth: config.mlpWidth(of: width))
        }
        let perEntry =
            stream(tokens, config.hiddenSize) + stream(length, config.textHiddenSize) + (length + tokens) * 2 * inner
            + tokens * patch + length * config.textHiddenSize
        let shared = tokens * (patch + config.patchBottleneck + config.hiddenSize)
        let attention = Attention.bytes(
            tokens: length + tokens, headDimension: config.headDimension, workers: workers)
        return MemoryLayout<Float>.stride * (entries * perEntry + shared) + 3 * attention
    }
}

extension MMJiTWorkspace: ForwardWorkspace {
    func session(timesteps: [Double], conditions: [Condition]) throws -> any ForwardSession {
        precondition(conditions.count <= entries, "\(conditions.count) conditions in a workspace for \(entries)")
        return MMJiTSession(workspace: self, text: try network.encode(conditions, in: self))
    }
}

/// A run of an ``MMJiT``: its text.
private final class MMJiTSession: ForwardSession {
    private let workspace: MMJiTWorkspace
    private let text: [Tensor]

    init(workspace: MMJiTWorkspace, text: [Tensor]) {
        self.workspace = workspace
        self.text = text
    }

    func evaluate(
        latents: Tensor, call: Int, subset: BatchSubset, into outputs: [Tensor],
        interceptor: (any SiteInterceptor)?
    ) {
        workspace.network.forward(
            latents: latents, call: call, subset: subset, text: text, workspace: workspace, outputs: outputs,
            interceptor: interceptor)
    }

    func writeFirstInput(of tokens: UnsafeBufferPointer<Float>, call: Int, entry: Int, into output: Tensor) {
        guard let source = tokens.baseAddress else { return }
        let config = workspace.network.config
        RMSNorm.apply(
            source, rows: config.tokens, width: config.hiddenSize, epsilon: MMJiTConfig.normEpsilon,
            scale: workspace.network.weights.blocks[0].image.norm1.pointer, into: output.pointer)
    }
}
