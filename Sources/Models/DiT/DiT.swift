import Compute

/// A Diffusion Transformer (Peebles & Xie, arXiv 2212.09748): class-conditional, adaLN-Zero.
///
/// Configuration, weights and scratch memory are three types; one network serves any number of forwards at a time,
/// each with its own ``DiTWorkspace``.
///
/// Source: https://github.com/facebookresearch/DiT, models.py.
public final class DiT: Sendable {
    public let config: DiTConfig
    public let weights: DiTWeights
    public let engine: any Engine

    /// Joins a configuration with its weights, which `engine` has prepared.
    public init(config: DiTConfig, weights: DiTWeights, engine: any Engine = OpenBLASEngine()) {
        self.config = config
        self.weights = weights
        self.engine = engine
    }
}

/// One adaLN-Zero block: its parameters and its forward.
public struct DiTBlock: Sendable, TokenBlock {
    /// (6D, D): shift, scale and gate of the attention, then of the MLP.
    public let modulation: Linear
    /// (3D, D): queries, keys, values.
    public let qkv: Linear
    /// (D, D).
    public let proj: Linear
    /// (M, D).
    public let fc1: Linear
    /// (D, M).
    public let fc2: Linear

    /// Of random weights: small, so that tokens keep their size over any depth.
    static let modulationGain: Float = 0.1

    static func declared(_ config: DiTConfig) -> Declared<DiTBlock> {
        let (width, mlpWidth) = (config.hiddenSize, config.mlpWidth)
        return Declared(
            .linear("adaLN_modulation.1", width, to: 6 * width, gain: modulationGain, role: .modulation),
            .linear("attn.qkv", width, to: 3 * width),
            .linear("attn.proj", width, to: width, role: .afterAttention),
            .linear("mlp.fc1", width, to: mlpWidth),
            .linear("mlp.fc2", mlpWidth, to: width)
        ) { DiTBlock(modulation: $0, qkv: $1, proj: $2, fc1: $3, fc2: $4) }
    }

    /// What ``forward(_:_:_:_:_:_:modulation:)`` does.
    func steps(_ index: Int, _ config: DiTConfig, _ sequences: TokenSequences) -> [ForwardStep] {
        let (rows, width) = (sequences.tokens, config.hiddenSize)
        let (attention, mlp) = (Site.ID.layer(sequences.layer, block: index), Site.ID.layer(.mlp, block: index))
        return [
            ForwardStep("norm", at: attention, rows: rows, .modulation(width: width, epsilon: config.normEpsilon)),
            ForwardStep("qkv", at: attention, rows: rows, .product(qkv, activation: nil)),
            ForwardStep(
                sequences.layer.rawValue, at: attention, rows: rows,
                .attention(heads: config.heads, headDimension: config.headDimension, keys: sequences.length)),
            ForwardStep("proj", at: attention, rows: rows, .product(proj, activation: nil)),
            ForwardStep("gated add", at: attention, rows: rows, .gatedAdd(width: width)),
            ForwardStep("norm", at: mlp, rows: rows, .modulation(width: width, epsilon: config.mlpNormEpsilon)),
            ForwardStep("fc1", at: mlp, rows: rows, .product(fc1, activation: .gelu)),
            ForwardStep("fc2", at: mlp, rows: rows, .product(fc2, activation: nil)),
            ForwardStep("gated add", at: mlp, rows: rows, .gatedAdd(width: width)),
        ]
    }

    // swift-format-ignore
    /// x = x + gate attention(modulate(norm(x))), then x = x + gate mlp(modulate(norm(x))).
    func forward(
        _ index: Int, _ pass: ForwardPass, _ subset: BatchSubset, _ config: DiTConfig, _ m: TokenMemory,
        _ attention: SequenceAttention, modulation: (_ entry: Int) -> BlockModulation
    ) {
        let (x, y) = (m.hiddenStates, m.site)
        pass.site(.layer(attention.sequences.layer, block: index), subset, input: x, output: y) { subset in
            pass.modulate(x, subset, epsilon: config.normEpsilon, into: m.normed, as: qkv.inputPrecision) {
                modulation($0).attention                                                          // (T, D)
            }
            pass.apply(qkv, subset, m.normed, into: m.qkv, as: attention.precision)               // (T, 3D)
            pass.attend(attention, subset, m.qkv, into: m.mixed, as: proj.inputPrecision)         // (T, D)
            pass.apply(proj, subset, m.mixed, into: y)                                            // (T, D)
        }
        pass.addGated(y, subset, gate: { modulation($0).attentionGate }, to: x)                   // (T, D)
        pass.site(.layer(.mlp, block: index), subset, input: x, output: y) { subset in
            pass.modulate(x, subset, epsilon: config.mlpNormEpsilon, into: m.normed, as: fc1.inputPrecision) {
                modulation($0).mlp                                                                // (T, D)
            }
            pass.apply(
                fc1, subset, m.normed, into: m.mlpHidden, as: fc2.inputPrecision, activation: .gelu)  // (T, M)
            pass.apply(fc2, subset, m.mlpHidden, into: y)                                         // (T, D)
        }
        pass.addGated(y, subset, gate: { modulation($0).mlpGate }, to: x)                         // (T, D)
    }
}
