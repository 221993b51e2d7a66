import Compute

/// A Diffusion Transformer (Peebles & Xie, arXiv 2212.09748): class-conditional, adaLN-Zero.
///
/// Configuration, weights and scratch memory are three types; one network serves any number of forwards at a time,
/// each with its own ``DiTWorkspace``. Shapes at the right margin are those of one batch entry: T tokens, D width,
/// M MLP width, C channels, P patch.
///
/// Source: https://github.com/facebookresearch/DiT, models.py.
public final class DiT: Sendable {
    public let config: DiTConfig
    public let weights: DiTWeights
    /// What has prepared the weights.
    let engine: any Engine

    /// Joins a configuration with its weights, which `engine` has prepared.
    public init(config: DiTConfig, weights: DiTWeights, engine: any Engine = OpenBLASEngine()) {
        self.config = config
        self.weights = weights
        self.engine = engine
    }

    // swift-format-ignore
    /// Evaluates the network at one model call for some entries of the batch.
    ///
    /// All entries see the same latents (C, H, W); they differ in their class, that is, in their rows of the modulation
    /// table. Each entry of `subset` is written to its output (Cout, H, W); the others are left alone. Allocates no tensor.
    public func forward(
        latents: Tensor, call: Int, subset: BatchSubset, modulation: ModulationTable, workspace: DiTWorkspace,
        outputs: [Tensor], interceptor: (any SiteInterceptor)? = nil
    ) {
        let area = config.inputSize * config.inputSize
        precondition(latents.count == config.inChannels * area, "latents of \(latents.shape)")
        precondition(workspace.network === self && modulation.network === self, "made for another network")
        for entry in subset {
            precondition(entry < workspace.entries && entry < modulation.classes.count && entry < outputs.count)
            precondition(outputs[entry].count == config.outChannels * area, "an output of \(outputs[entry].shape)")
        }
        modulation.prepare(call: call)
        let pass = ForwardPass(
            call: call, workers: workspace.workers, clock: workspace.clock, interceptor: interceptor,
            scratch: workspace.scratch)
        let (w, m) = (workspace, workspace.tokens)
        let x = m.hiddenStates

        pass.embed(
            latents, of: config.latentShape, by: weights.patchEmbedding, patch: config.patchSize,
            positions: weights.positions, patches: m.patches, into: m.embedded, x, subset)        // (T, D)
        pass.stack(of: weights.blocks.count, subset, embedded: m.embedded, x) { index, subset in  // (T, D)
            weights.blocks[index].forward(index, pass, subset, config, w) {
                modulation.block(index, call: call, entry: $0)
            }
        }
        pass.modulate(x, subset, epsilon: config.normEpsilon, into: m.normed) {
            modulation.finalLayer(call: call, entry: $0)                                          // (T, D)
        }
        pass.apply(weights.finalProjection, subset, m.normed, into: m.projected)                  // (T, P P Cout)
        pass.unpatchify(
            m.projected, subset, of: config.latentShape, patch: config.patchSize, into: outputs)  // (Cout, H, W)
    }
}

/// One adaLN-Zero block: its parameters and its forward.
public struct DiTBlock: Sendable {
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
            .linear("attn.proj", width, to: width),
            .linear("mlp.fc1", width, to: mlpWidth),
            .linear("mlp.fc2", mlpWidth, to: width)
        ) { DiTBlock(modulation: $0, qkv: $1, proj: $2, fc1: $3, fc2: $4) }
    }

    /// What ``forward(_:_:_:_:_:modulation:)`` does.
    func steps(_ index: Int, _ config: DiTConfig) -> [ForwardStep] {
        let (rows, width) = (config.tokens, config.hiddenSize)
        let (attention, mlp) = (Site.ID.layer(.attention, block: index), Site.ID.layer(.mlp, block: index))
        return [
            ForwardStep("norm", at: attention, rows: rows, .modulation(width: width, epsilon: config.normEpsilon)),
            ForwardStep("qkv", at: attention, rows: rows, .product(qkv, activation: nil)),
            ForwardStep(
                "attention", at: attention, rows: rows,
                .attention(heads: config.heads, headDimension: config.headDimension, keys: rows)),
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
        _ index: Int, _ pass: ForwardPass, _ subset: BatchSubset, _ config: DiTConfig, _ w: DiTWorkspace,
        modulation: (_ entry: Int) -> BlockModulation
    ) {
        let m = w.tokens
        let (x, y) = (m.hiddenStates, m.site)
        pass.site(.layer(.attention, block: index), subset, input: x, output: y) { subset in
            pass.modulate(x, subset, epsilon: config.normEpsilon, into: m.normed) {
                modulation($0).attention                                                          // (T, D)
            }
            pass.apply(qkv, subset, m.normed, into: m.qkv)                                        // (T, 3D)
            pass.attend(w.attention, subset, m.qkv, into: m.mixed)                                // (T, D)
            pass.apply(proj, subset, m.mixed, into: y)                                            // (T, D)
        }
        pass.addGated(y, subset, gate: { modulation($0).attentionGate }, to: x)                   // (T, D)
        pass.site(.layer(.mlp, block: index), subset, input: x, output: y) { subset in
            pass.modulate(x, subset, epsilon: config.mlpNormEpsilon, into: m.normed) {
                modulation($0).mlp                                                                // (T, D)
            }
            pass.apply(fc1, subset, m.normed, into: m.mlpHidden, activation: .gelu)               // (T, M)
            pass.apply(fc2, subset, m.mlpHidden, into: y)                                         // (T, D)
        }
        pass.addGated(y, subset, gate: { modulation($0).mlpGate }, to: x)                         // (T, D)
    }
}
