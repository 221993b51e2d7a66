import Compute

/// One adaLN-single block: attention of the image's tokens to one another, then to the caption's, then an MLP.
public struct PixArtBlock: Sendable {
    /// (6, D): what this block adds to the shared modulation.
    public let modulationTable: Tensor
    /// (3D, D): queries, keys, values.
    public let qkv: Linear
    /// (D, D).
    public let proj: Linear
    /// (D, D): the image's queries to the caption.
    public let crossQuery: Linear
    /// (2D, D): the caption's keys, then its values.
    public let crossKeysValues: Linear
    /// (D, D).
    public let crossProj: Linear
    /// (M, D).
    public let fc1: Linear
    /// (D, M).
    public let fc2: Linear

    /// Of random weights: small, so that tokens keep their size over any depth.
    static let modulationGain: Float = 0.1

    static func declared(_ config: PixArtConfig) -> Declared<PixArtBlock> {
        let (width, mlpWidth) = (config.hiddenSize, config.mlpWidth)
        return Declared(
            .tensor("scale_shift_table", [6, width]),
            .linear("attn.qkv", width, to: 3 * width),
            .linear("attn.proj", width, to: width),
            .linear("cross_attn.q_linear", width, to: width),
            .linear("cross_attn.kv_linear", width, to: 2 * width),
            .linear("cross_attn.proj", width, to: width),
            .linear("mlp.fc1", width, to: mlpWidth),
            .linear("mlp.fc2", mlpWidth, to: width)
        ) {
            PixArtBlock(
                modulationTable: $0, qkv: $1, proj: $2, crossQuery: $3, crossKeysValues: $4, crossProj: $5, fc1: $6,
                fc2: $7)
        }
    }

    /// What ``forward(_:_:_:_:_:modulation:captions:)`` does, for a caption of a usual length.
    func steps(_ index: Int, _ config: PixArtConfig) -> [ForwardStep] {
        let (rows, width, epsilon) = (config.tokens, config.hiddenSize, config.normEpsilon)
        let (heads, headDimension) = (config.heads, config.headDimension)
        let attention = Site.ID.layer(.attention, block: index)
        let cross = Site.ID.layer(.crossAttention, block: index)
        let mlp = Site.ID.layer(.mlp, block: index)
        return [
            ForwardStep("norm", at: attention, rows: rows, .modulation(width: width, epsilon: epsilon)),
            ForwardStep("qkv", at: attention, rows: rows, .product(qkv, activation: nil)),
            ForwardStep(
                "attention", at: attention, rows: rows,
                .attention(heads: heads, headDimension: headDimension, keys: rows)),
            ForwardStep("proj", at: attention, rows: rows, .product(proj, activation: nil)),
            ForwardStep("gated add", at: attention, rows: rows, .gatedAdd(width: width)),
            ForwardStep("cross query", at: cross, rows: rows, .product(crossQuery, activation: nil)),
            ForwardStep(
                "cross-attention", at: cross, rows: rows,
                .attention(heads: heads, headDimension: headDimension, keys: PixArt.usualCaption)),
            ForwardStep("cross proj", at: cross, rows: rows, .product(crossProj, activation: nil)),
            ForwardStep("gated add", at: cross, rows: rows, .gatedAdd(width: width)),
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
        _ index: Int, _ pass: ForwardPass, _ subset: BatchSubset, _ config: PixArtConfig, _ w: PixArtWorkspace,
        modulation: BlockModulation, captions: [PixArtCaption]
    ) {
        let m = w.tokens
        let (x, y) = (m.hiddenStates, m.site)
        pass.site(.layer(.attention, block: index), subset, input: x, output: y) { subset in
            pass.modulate(x, subset, epsilon: config.normEpsilon, into: m.normed) { _ in
                modulation.attention                                                              // (T, D)
            }
            pass.apply(qkv, subset, m.normed, into: m.qkv)                                        // (T, 3D)
            pass.attend(w.attention, subset, m.qkv, into: m.mixed)                                // (T, D)
            pass.apply(proj, subset, m.mixed, into: y)                                            // (T, D)
        }
        pass.addGated(y, subset, gate: { _ in modulation.attentionGate }, to: x)                  // (T, D)
        pass.site(.layer(.crossAttention, block: index), subset, input: x, output: y) { subset in
            pass.apply(crossQuery, subset, x, into: m.normed)                                     // (T, D)
            pass.attend(subset, m.normed, to: {
                (captions[$0].attention, captions[$0].keys(ofBlock: index), captions[$0].values(ofBlock: index))
            }, into: m.mixed)                                                                     // (T, D)
            pass.apply(crossProj, subset, m.mixed, into: y)                                       // (T, D)
        }
        pass.add(y, subset, to: x)                                                                // (T, D)
        pass.site(.layer(.mlp, block: index), subset, input: x, output: y) { subset in
            pass.modulate(x, subset, epsilon: config.normEpsilon, into: m.normed) { _ in
                modulation.mlp                                                                    // (T, D)
            }
            pass.apply(fc1, subset, m.normed, into: m.mlpHidden, activation: .gelu)               // (T, M)
            pass.apply(fc2, subset, m.mlpHidden, into: y)                                         // (T, D)
        }
        pass.addGated(y, subset, gate: { _ in modulation.mlpGate }, to: x)                        // (T, D)
    }
}
