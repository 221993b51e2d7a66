import Compute

/// A PixArt (Chen et al., arXiv 2310.00426 and 2403.04692): text-conditional, adaLN-single, with cross-attention.
///
/// Configuration, weights and scratch memory are three types; one network serves any number of forwards at a time,
/// each with its own ``PixArtWorkspace``.
///
/// Source: https://github.com/huggingface/diffusers, models/transformers/pixart_transformer_2d.py, version 0.42.1.
public final class PixArt: Sendable {
    public let config: PixArtConfig
    public let weights: PixArtWeights
    let prompts: any PromptEncoder
    let engine: any Engine

    /// Joins a configuration with its weights, which `engine` has prepared, and with what encodes prompts.
    init(config: PixArtConfig, weights: PixArtWeights, prompts: any PromptEncoder, engine: any Engine) {
        self.config = config
        self.weights = weights
        self.prompts = prompts
        self.engine = engine
    }
}
