import Compute

/// One adaLN-single block: attention of the tokens to one another, then to the caption's, then an MLP.
public struct PixArtBlock: Sendable, TokenBlock {
    /// (6, D): what this block adds to the shared modulation.
    public let modulationTable: Tensor
    /// (3D, D): queries, keys, values.
    public let qkv: Linear
    /// (D, D).
    public let proj: Linear
    /// To the caption; nil in blocks over time.
    public let cross: CaptionAttention?
    /// (M, D).
    public let fc1: Linear
    /// (D, M).
    public let fc2: Linear

    /// Of random weights: small, so that tokens keep their size over any depth.
    static let modulationGain: Float = 0.1

    static func declared(_ config: PixArtConfig, readsCaption: Bool = true) -> Declared<PixArtBlock> {
        let (width, mlpWidth) = (config.hiddenSize, config.mlpWidth)
        return Declared(
            .tensor("scale_shift_table", [6, width]),
            .linear("attn.qkv", width, to: 3 * width),
            .linear("attn.proj", width, to: width, role: .afterAttention),
            .optional(CaptionAttention.declared(width).inside("cross_attn"), if: readsCaption),
            .linear("mlp.fc1", width, to: mlpWidth),
            .linear("mlp.fc2", mlpWidth, to: width)
        ) { PixArtBlock(modulationTable: $0, qkv: $1, proj: $2, cross: $3, fc1: $4, fc2: $5) }
    }

    /// What ``forward(_:_:_:_:_:_:modulation:captions:)`` does, for a caption of a usual length.
    func steps(_ index: Int, _ config: PixArtConfig, _ sequences: TokenSequences) -> [ForwardStep] {
        let (rows, width, epsilon) = (sequences.tokens, config.hiddenSize, config.normEpsilon)
        let attention = Site.ID.layer(sequences.layer, block: index)
        let mlp = Site.ID.layer(.mlp, block: index)
        return [
            ForwardStep("norm", at: attention, rows: rows, .modulation(width: width, epsilon: epsilon)),
            ForwardStep("qkv", at: attention, rows: rows, .product(qkv, activation: nil)),
            ForwardStep(
                sequences.layer.rawValue, at: attention, rows: rows,
                .attention(heads: config.heads, headDimension: config.headDimension, keys: sequences.length)),
            ForwardStep("proj", at: attention, rows: rows, .product(proj, activation: nil)),
            ForwardStep("gated add", at: attention, rows: rows, .gatedAdd(width: width)),
        ] + (cross?.steps(index, config, rows: rows) ?? []) + [
            ForwardStep("norm", at: mlp, rows: rows, .modulation(width: width, epsilon: epsilon)),
            ForwardStep("fc1", at: mlp, rows: rows, .product(fc1, activation: .gelu)),
            ForwardStep("fc2", at: mlp, rows: rows, .product(fc2, activation: nil)),
            ForwardStep("gated add", at: mlp, rows: rows, .gatedAdd(width: width)),
        ]
    }

    // swift-format-ignore
    /// x = x + gate attention(modulate(norm(x))), then x = x + attention(x, caption) without norm and gate, then
    /// x = x + gate mlp(modulate(norm(x))).
    func forward(
        _ index: Int, _ pass: ForwardPass, _ subset: BatchSubset, _ config: PixArtConfig, _ m: TokenMemory,
        _ attention: SequenceAttention, modulation: BlockModulation, captions: [PixArtCaption]
    ) {
        let (x, y) = (m.hiddenStates, m.site)
        pass.site(.layer(attention.sequences.layer, block: index), subset, input: x, output: y) { subset in
            pass.modulate(x, subset, epsilon: config.normEpsilon, into: m.normed, as: qkv.inputPrecision) { _ in
                modulation.attention                                                              // (T, D)
            }
            pass.apply(qkv, subset, m.normed, into: m.qkv, as: attention.precision)               // (T, 3D)
            pass.attend(attention, subset, m.qkv, into: m.mixed, as: proj.inputPrecision)         // (T, D)
            pass.apply(proj, subset, m.mixed, into: y)                                            // (T, D)
        }
        pass.addGated(y, subset, gate: { _ in modulation.attentionGate }, to: x)                  // (T, D)
        cross?.forward(index, pass, subset, m, captions: captions)                                // (T, D)
        pass.site(.layer(.mlp, block: index), subset, input: x, output: y) { subset in
            pass.modulate(x, subset, epsilon: config.normEpsilon, into: m.normed, as: fc1.inputPrecision) { _ in
                modulation.mlp                                                                    // (T, D)
            }
            pass.apply(
                fc1, subset, m.normed, into: m.mlpHidden, as: fc2.inputPrecision, activation: .gelu)  // (T, M)
            pass.apply(fc2, subset, m.mlpHidden, into: y)                                         // (T, D)
        }
        pass.addGated(y, subset, gate: { _ in modulation.mlpGate }, to: x)                        // (T, D)
    }
}
