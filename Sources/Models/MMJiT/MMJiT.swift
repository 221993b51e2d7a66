import Compute
import Glibc

/// MM-JiT, the transformer of MiniT2I: text and image tokens meet in every block's attention, pixels come out.
///
/// The network is not told the time: it reads the noise level off the picture. It predicts the clean picture.
/// Shapes at the right margin are those of one batch entry: T image tokens, L text tokens, D width, C channels, P patch.
///
/// Source: https://github.com/PeppaKing8/minit2i-jax, models/mmjit.py and models/dit_blocks.py.
public final class MMJiT: Sendable {
    public let config: MMJiTConfig
    public let weights: MMJiTWeights
    /// What has prepared the weights.
    let engine: any Engine
    let prompts: any PromptEncoder
    /// (T, D).
    let positions: Tensor
    let textRotation, imageRotation: RotaryTable

    /// Joins a configuration with its weights, which `engine` has prepared, and with what encodes prompts.
    public init(
        config: MMJiTConfig, weights: MMJiTWeights, prompts: any PromptEncoder, engine: any Engine = OpenBLASEngine()
    ) {
        self.config = config
        self.weights = weights
        self.prompts = prompts
        self.engine = engine
        positions = SinCosPositions.table(gridSize: config.gridSize, width: config.hiddenSize)
        textRotation = RotaryTable(
            angles: (0..<config.promptLength).map { Self.angles(of: $0, width: config.headDimension) })
        imageRotation = RotaryTable(
            angles: (0..<config.tokens).map { token in
                Self.angles(of: token / config.gridSize, width: config.headDimension / 2)
                    + Self.angles(of: token % config.gridSize, width: config.headDimension / 2)
            })
    }

    /// The angles position · 10000^(-2j / width), j below width / 2, in single precision as the reference has them.
    private static func angles(of position: Int, width: Int) -> [Float] {
        (0..<width / 2).map { Float(position) * (1 / powf(10_000, Float(2 * $0) / Float(width))) }
    }

    // swift-format-ignore
    /// The text that enters the first joint block, (L, text width), of the entries of a workspace.
    ///
    /// It depends on the prompts alone, so a run computes it once.
    func encode(_ conditions: [Condition], in w: MMJiTWorkspace) throws -> [Tensor] {
        let rules = config.promptRules
        let (length, width) = (config.promptLength, config.textInputWidth)
        let context = EntryRows(entries: w.entries, tokens: length, columns: width)
        for (entry, condition) in conditions.enumerated() {
            var filled = 0
            if case .prompt(let prompt) = condition {
                let states = try prompts.states(
                    of: rules.text(of: prompt), limit: length, workers: w.workers)
                filled = states.shape[0]
                context.row(0, of: entry).update(from: states.pointer, count: states.count)
            }
            for row in filled..<length {
                context.row(row, of: entry).update(from: weights.maskToken.pointer, count: width)
            }
        }
        let pass = ForwardPass(
            call: 0, workers: w.workers, clock: nil, interceptor: nil, scratch: w.scratch)
        let subset = BatchSubset(first: conditions.count)
        pass.apply(weights.textEmbedding, subset, context, into: w.text.x)                        // (L, D)
        for block in weights.preamble { block.forward(pass, subset, w) }                          // (L, D)
        return conditions.indices.map { entry in Tensor(w.text.x[entry], shape: [length, config.textHiddenSize]) }
    }

    // swift-format-ignore
    /// Evaluates the network at one model call for some entries of the batch. Allocates no tensor.
    func forward(
        latents: Tensor, call: Int, subset: BatchSubset, text: [Tensor], workspace w: MMJiTWorkspace,
        outputs: [Tensor], interceptor: (any SiteInterceptor)?
    ) {
        precondition(latents.count == config.latentShape.count, "latents of \(latents.shape)")
        let pass = ForwardPass(
            call: call, workers: w.workers, clock: w.clock, interceptor: interceptor, scratch: w.scratch)
        embed(latents, for: subset, text, pass, w)                                                // (T, D), (L, D)
        pass.stack(of: config.depth, subset, embedded: w.embedded, w.image.x) { index, subset in
            weights.blocks[index].forward(index, pass, subset, w, isLast: index == config.depth - 1)
        }                                                                                         // (T, D)
        pass.normalise(
            w.image.x, subset, scale: weights.finalNorm, epsilon: MMJiTConfig.normEpsilon, into: w.image.normed)
        pass.apply(weights.finalProjection, subset, w.image.normed, into: w.projected)            // (T, P P C)
        pass.unpatchify(
            w.projected, subset, of: config.latentShape, patch: config.patchSize, into: outputs)  // (C, H, W)
    }

    // swift-format-ignore
    /// Patches to tokens, plus their fixed positions, the same for every entry; and each entry's own text.
    private func embed(
        _ latents: Tensor, for subset: BatchSubset, _ text: [Tensor], _ pass: ForwardPass, _ w: MMJiTWorkspace
    ) {
        pass.measured(.embedding) {
            let (rows, tokens) = (config.tokens, w.embedded.pointer)
            Patches.gather(
                latents.pointer, of: config.latentShape, patch: config.patchSize, into: w.patches.pointer)
            weights.patchProjection(
                w.patches.pointer, rows: rows, into: w.bottleneck.pointer, workers: w.workers, scratch: w.scratch)
            weights.patchEmbedding(
                w.bottleneck.pointer, rows: rows, into: tokens, workers: w.workers, scratch: w.scratch)
            Elementwise.add(positions.pointer, count: w.embedded.count, to: tokens)               // (T, D)
            for entry in subset {
                w.image.x.row(0, of: entry).update(from: tokens, count: w.embedded.count)
                w.text.x.row(0, of: entry).update(from: text[entry].pointer, count: text[entry].count)
            }
        }
    }
}
