import Compute

/// A PixArt (Chen et al., arXiv 2310.00426 and 2403.04692): text-conditional, adaLN-single, with cross-attention.
///
/// Configuration, weights and scratch memory are three types; one network serves any number of forwards at a time,
/// each with its own ``PixArtWorkspace``. Shapes at the right margin are those of one batch entry: T tokens, D width,
/// M MLP width, C channels, P patch.
///
/// Source: https://github.com/huggingface/diffusers, models/transformers/pixart_transformer_2d.py, version 0.42.1.
public final class PixArt: Sendable {
    public let config: PixArtConfig
    public let weights: PixArtWeights
    /// What encodes prompts.
    let prompts: any PromptEncoder
    /// What has prepared the weights.
    let engine: any Engine

    /// The tokens of a caption of a usual length, for prices and benchmarks.
    static let usualCaption = 32

    /// Joins a configuration with its weights, which `engine` has prepared, and with what encodes prompts.
    init(config: PixArtConfig, weights: PixArtWeights, prompts: any PromptEncoder, engine: any Engine) {
        self.config = config
        self.weights = weights
        self.prompts = prompts
        self.engine = engine
    }

    // swift-format-ignore
    /// Evaluates the network at one model call for some entries of the batch.
    ///
    /// All entries see the same latents (C, H, W); they differ in their caption. Each entry of `subset` is written to its
    /// output (Cout, H, W); the others are left alone. Allocates no tensor.
    func forward(
        latents: Tensor, call: Int, subset: BatchSubset, modulation: PixArtModulation, captions: [PixArtCaption],
        workspace w: PixArtWorkspace, outputs: [Tensor], interceptor: (any SiteInterceptor)?
    ) {
        let shape = latentShape
        precondition(latents.count == shape.count, "latents of \(latents.shape)")
        for entry in subset {
            precondition(entry < w.entries && entry < captions.count && entry < outputs.count)
            precondition(
                outputs[entry].count == shape.count / shape.channels * config.outChannels,
                "an output of \(outputs[entry].shape)")
        }
        modulation.prepare(call: call)
        let pass = ForwardPass(
            call: call, workers: w.workers, clock: w.clock, interceptor: interceptor, scratch: w.scratch)
        let m = w.tokens
        let x = m.hiddenStates

        pass.embed(
            latents, of: shape, by: weights.patchEmbedding, patch: config.patchSize, positions: w.positions,
            patches: m.patches, into: m.embedded, x, subset)                                      // (T, D)
        pass.stack(of: weights.blocks.count, subset, embedded: m.embedded, x) { index, subset in  // (T, D)
            weights.blocks[index].forward(
                index, pass, subset, config, w, modulation: modulation.block(index), captions: captions)
        }
        pass.modulate(x, subset, epsilon: PixArtConfig.finalNormEpsilon, into: m.normed) { _ in
            modulation.finalLayer                                                                 // (T, D)
        }
        pass.apply(weights.finalProjection, subset, m.normed, into: m.projected)                  // (T, P P Cout)
        pass.unpatchify(m.projected, subset, of: shape, patch: config.patchSize, into: outputs)   // (Cout, H, W)
    }
}
