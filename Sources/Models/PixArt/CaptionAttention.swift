import Compute

/// The attention of a block's tokens to the caption's, whose keys and values a ``PixArtCaption`` holds.
public struct CaptionAttention: Sendable {
    /// (D, D): the tokens' queries to the caption.
    public let query: Linear
    /// (2D, D): the caption's keys, then its values.
    public let keysValues: Linear
    /// (D, D).
    public let proj: Linear

    static func declared(_ width: Int) -> Declared<CaptionAttention> {
        Declared(
            .linear("q_linear", width, to: width), .linear("kv_linear", width, to: 2 * width),
            .linear("proj", width, to: width, role: .afterAttention)
        ) { CaptionAttention(query: $0, keysValues: $1, proj: $2) }
    }

    /// What ``forward(_:_:_:_:captions:)`` does, for a caption of a usual length.
    func steps(_ index: Int, _ config: PixArtConfig, rows: Int) -> [ForwardStep] {
        let cross = Site.ID.layer(.crossAttention, block: index)
        return [
            ForwardStep("cross query", at: cross, rows: rows, .product(query, activation: nil)),
            ForwardStep(
                "cross-attention", at: cross, rows: rows,
                .attention(heads: config.heads, headDimension: config.headDimension, keys: PixArtCaption.usualLength)),
            ForwardStep("cross proj", at: cross, rows: rows, .product(proj, activation: nil)),
            ForwardStep("gated add", at: cross, rows: rows, .gatedAdd(width: config.hiddenSize)),
        ]
    }

    // swift-format-ignore
    /// x = x + attention(x, caption), without norm and gate.
    func forward(
        _ index: Int, _ pass: ForwardPass, _ subset: BatchSubset, _ m: TokenMemory, captions: [PixArtCaption]
    ) {
        let (x, y) = (m.hiddenStates, m.site)
        pass.site(.layer(.crossAttention, block: index), subset, input: x, output: y) { subset in
            pass.apply(query, subset, x, into: m.normed)                                          // (T, D)
            pass.attend(subset, m.normed, to: {
                (captions[$0].attention, captions[$0].keys(ofBlock: index), captions[$0].values(ofBlock: index))
            }, into: m.mixed)                                                                     // (T, D)
            pass.apply(proj, subset, m.mixed, into: y)                                            // (T, D)
        }
        pass.add(y, subset, to: x)                                                                // (T, D)
    }
}
