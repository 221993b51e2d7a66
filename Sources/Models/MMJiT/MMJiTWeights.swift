import Compute

/// All weights of an MM-JiT, declared once under the names of MiniT2I's PyTorch files.
///
/// Shapes use D width, T image tokens, L text tokens, M MLP width, C channels, P patch, K head dimension.
public struct MMJiTWeights: Sendable {
    /// (bottleneck, C P P), on a patch's values by channel, row and column.
    public let patchProjection: Linear
    /// (D, bottleneck).
    public let patchEmbedding: Linear
    /// (text width, encoder's width).
    public let textEmbedding: Linear
    /// (encoder's width): stands for every token that a prompt does not have.
    public let maskToken: Tensor
    public let preamble: [MMJiTTextBlock]
    public let blocks: [MMJiTBlock]
    /// (D).
    public let finalNorm: Tensor
    /// (P P C, D), a patch's values by row, column and channel.
    public let finalProjection: Linear

    static func declared(_ config: MMJiTConfig) -> Declared<MMJiTWeights> {
        let (width, text, patch) = (config.hiddenSize, config.textHiddenSize, config.patchSize)
        return Declared(
            .linear(
                "img_embedder.proj1", config.channels * patch * patch, to: config.patchBottleneck, hasBias: false,
                stored: [config.channels, patch, patch], role: .edge),
            .linear(
                "img_embedder.proj2", config.patchBottleneck, to: width, stored: [config.patchBottleneck, 1, 1],
                role: .edge),
            .linear("txt_embedder", config.textInputWidth, to: text, hasBias: false, role: .edge),
            .tensor("mask_token", [config.textInputWidth], stored: [1, 1, config.textInputWidth]),
            .list(
                (0..<config.preambleDepth).map { MMJiTTextBlock.declared(config).inside("txt_preamble_blocks.\($0)") }),
            .list((0..<config.depth).map { MMJiTBlock.declared(config).inside("double_blocks.\($0)") }),
            .tensor("final_layer.norm_final.weight", [width]),
            .linear("final_layer.linear", width, to: patch * patch * config.channels, role: .edge)
        ) {
            MMJiTWeights(
                patchProjection: $0, patchEmbedding: $1, textEmbedding: $2, maskToken: $3, preamble: $4, blocks: $5,
                finalNorm: $6, finalProjection: $7)
        }
    }

}

// MARK: - Loading

extension MMJiTWeights {
    /// What MiniT2I's files put before every name.
    private static let keys = KeyTable(prefix: "model.net.")

    /// The layers that files of MiniT2I hold although no forward uses them: the network is not told the time.
    private static let unused: Set<Substring> = ["t_embedder", "pooled_embedder"]

    /// Checks that `archive` holds one MM-JiT.
    ///
    /// - Throws: ``ModelError`` when it does not.
    static func checkNames(in archive: WeightArchive) throws(ModelError) {
        let mark = keys.names(of: "img_embedder.proj1.weight")[0]
        guard archive.entry(mark) == nil else { return }
        throw archive.names.contains("net.img_embedder.proj1.weight")
            ? .wrappedNames(directory: archive.directory, example: "net.img_embedder.proj1.weight")
            : .unknownLayout(directory: archive.directory, someNames: Array(archive.names.prefix(3)))
    }

    /// Loads all weights that `config` calls for; names and shapes are all checked before the first tensor is read.
    ///
    /// - Throws: ``ModelError`` when the tensors are not those of `config`, ``SafetensorsError`` when one is of a type
    ///   that cannot be loaded or holds a value that is not finite, `MachineError` when there is too little memory.
    init(
        from archive: WeightArchive, config: MMJiTConfig, precision: WeightPrecision, engine: any Engine,
        progress: ((Double) -> Void)?
    ) throws {
        try Self.checkNames(in: archive)
        self = try Self.declared(config).load(
            from: archive, keys: Self.keys, precision: engine.packsWeights ? .stored : precision, engine: engine,
            sizes: config.sizes, of: "an MM-JiT",
            isPart: { name in
                let own = name.hasPrefix(Self.keys.prefix) ? name.dropFirst(Self.keys.prefix.count) : Substring(name)
                return !(own.split(separator: ".").first.map(Self.unused.contains) ?? false)
            }, progress: progress)
    }
}

extension MMJiTConfig {
    /// The values that decide the tensors' shapes, by their keys.
    fileprivate var sizes: String {
        "hidden_size \(hiddenSize), txt_hidden_size \(textHiddenSize), txt_input_size \(textInputWidth), patch_size "
            + "\(patchSize), num_heads \(heads), head_dim \(headDimension), mlp_ratio \(mlpRatio)"
    }
}

/// The layers of one stream, image or text, in a block.
struct MMJiTStream: Sendable {
    /// (D), before the attention.
    let norm1: Tensor
    /// (3 H K, D): queries, keys, values.
    let qkv: Linear
    /// (D, H K).
    let proj: Linear
    /// (D), before the MLP.
    let norm2: Tensor
    /// (M, D), followed by SiLU.
    let w1: Linear
    /// (M, D), by which it is multiplied.
    let w3: Linear
    /// (D, M).
    let w2: Linear

    /// Random weights: small, so that tokens keep their size over any depth.
    private static let outputGain: Float = 0.3

    /// The layers on tokens of `width`; `prefix` begins their names.
    static func declared(_ prefix: String, _ width: Int, _ config: MMJiTConfig) -> Declared<MMJiTStream> {
        let (inner, mlp) = (config.innerWidth, config.mlpWidth(of: width))
        return Declared(
            .tensor(prefix + "norm1.weight", [width]),
            .linear(prefix + "qkv", width, to: 3 * inner),
            .linear(prefix + "attn_proj", inner, to: width, gain: outputGain, role: .afterAttention),
            .tensor(prefix + "norm2.weight", [width]),
            .linear(prefix + "mlp.w1", width, to: mlp, hasBias: false),
            .linear(prefix + "mlp.w3", width, to: mlp, hasBias: false),
            .linear(prefix + "mlp.w2", mlp, to: width, hasBias: false, gain: outputGain)
        ) { MMJiTStream(norm1: $0, qkv: $1, proj: $2, norm2: $3, w1: $4, w3: $5, w2: $6) }
    }
}
