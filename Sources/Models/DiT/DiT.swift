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
        let (w, x) = (workspace, workspace.hiddenStates)

        pass.measured(.embedding) { embed(latents, for: subset, w) }                              // (T, D)
        runStack(pass, subset, modulation, w)                                                     // (T, D)
        pass.modulate(x, subset, epsilon: config.normEpsilon, into: w.normed) {
            modulation.finalLayer(call: call, entry: $0)                                          // (T, D)
        }
        pass.apply(weights.finalProjection, subset, w.normed, into: w.projected)                  // (T, P P Cout)
        pass.measured(.embedding) { unpatchify(w.projected, of: subset, into: outputs) }          // (Cout, H, W)
    }

    /// All blocks, one after another; a cache may replace all of them, or those from some block on.
    private func runStack(
        _ pass: ForwardPass, _ subset: BatchSubset, _ modulation: ModulationTable, _ w: DiTWorkspace
    ) {
        let (x, embedded) = (w.hiddenStates, { (_: Int) in w.embedded.values })
        var evaluated = pass.withoutReplaced(.stack, subset, input: embedded, x)
        for (index, block) in weights.blocks.enumerated() {
            if index > 0 {
                evaluated = pass.withoutReplaced(.rest(from: index), evaluated, input: { x[$0] }, x)
            }
            guard !evaluated.isEmpty else { return }
            block.forward(index, pass, evaluated, config, w) { modulation.block(index, call: pass.call, entry: $0) }
        }
        pass.observe(.stack, evaluated, input: embedded, x)
    }

    // swift-format-ignore
    /// Patches to tokens, plus their fixed positions: the same for every entry, so computed once.
    private func embed(_ latents: Tensor, for subset: BatchSubset, _ w: DiTWorkspace) {
        let (patches, tokens) = (w.patches.pointer, w.embedded.pointer)
        Patches.gather(
            latents.pointer, channels: config.inChannels, size: config.inputSize, patch: config.patchSize,
            into: patches)                                                                        // (T, C P P)
        weights.patchEmbedding(
            patches, rows: config.tokens, into: tokens, workers: w.workers, scratch: w.scratch)   // (T, D)
        Elementwise.add(weights.positions.pointer, count: w.embedded.count, to: tokens)           // (T, D)
        for entry in subset { w.hiddenStates.row(0, of: entry).update(from: tokens, count: w.embedded.count) }
    }

    /// Tokens back to an image.
    private func unpatchify(_ projected: EntryRows, of subset: BatchSubset, into outputs: [Tensor]) {
        for entry in subset {
            Patches.scatter(
                projected.row(0, of: entry), channels: config.outChannels, size: config.inputSize,
                patch: config.patchSize, into: outputs[entry].pointer)
        }
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
        modulation: (_ entry: Int) -> ModulationTable.Block
    ) {
        let (x, y) = (w.hiddenStates, w.site)
        pass.site(.layer(.attention, block: index), subset, input: x, output: y) { subset in
            pass.modulate(x, subset, epsilon: config.normEpsilon, into: w.normed) {
                modulation($0).attention                                                          // (T, D)
            }
            pass.apply(qkv, subset, w.normed, into: w.qkv)                                        // (T, 3D)
            pass.attend(w.attention, subset, w.qkv, into: w.mixed)                                // (T, D)
            pass.apply(proj, subset, w.mixed, into: y)                                            // (T, D)
        }
        pass.addGated(y, subset, gate: { modulation($0).attentionGate }, to: x)                   // (T, D)
        pass.site(.layer(.mlp, block: index), subset, input: x, output: y) { subset in
            pass.modulate(x, subset, epsilon: config.mlpNormEpsilon, into: w.normed) {
                modulation($0).mlp                                                                // (T, D)
            }
            pass.apply(fc1, subset, w.normed, into: w.mlpHidden, activation: .gelu)               // (T, M)
            pass.apply(fc2, subset, w.mlpHidden, into: y)                                         // (T, D)
        }
        pass.addGated(y, subset, gate: { modulation($0).mlpGate }, to: x)                         // (T, D)
    }
}

/// The two rearrangements between an image (C, H, W) and its tokens, in row order.
enum Patches {
    /// Gathers each patch into a row: (T, C P P), channel first, then the patch's rows, then its columns, as a
    /// convolution's kernel (D, C, P, P) is stored.
    static func gather(
        _ image: UnsafePointer<Float>, channels: Int, size: Int, patch: Int, into rows: UnsafeMutablePointer<Float>
    ) {
        let across = size / patch
        var target = rows
        for token in 0..<across * across {
            let top = token / across * patch
            let left = token % across * patch
            for channel in 0..<channels {
                for y in 0..<patch {
                    let source = image + (channel * size + top + y) * size + left
                    target.update(from: source, count: patch)
                    target += patch
                }
            }
        }
    }

    /// Scatters rows (T, P P C), channel last, back into an image (C, H, W).
    static func scatter(
        _ rows: UnsafePointer<Float>, channels: Int, size: Int, patch: Int, into image: UnsafeMutablePointer<Float>
    ) {
        let across = size / patch
        var source = rows
        for token in 0..<across * across {
            let top = token / across * patch
            let left = token % across * patch
            for y in 0..<patch {
                for x in 0..<patch {
                    for channel in 0..<channels {
                        image[(channel * size + top + y) * size + left + x] = source[channel]
                    }
                    source += channels
                }
            }
        }
    }
}
