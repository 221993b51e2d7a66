import Compute

/// A caption as the blocks see it: its keys and values in each of them.
///
/// They depend on the prompt alone, so a run computes them once.
final class PixArtCaption {
    /// The tokens of a caption of a usual length, for prices and benchmarks.
    static let usualLength = 32

    /// Of the latents' tokens to the caption's, whatever their number.
    let attention: Attention

    private let width: Int
    /// Of each block that reads it, in each row the keys of all heads, then the values.
    private let keysAndValues: [Tensor?]  // (tokens, 2D) each

    /// Projects what a text encoder has made of a prompt.
    ///
    /// - Parameters:
    ///   - states: (tokens, E), at least one token.
    ///   - network: whose blocks attend to it.
    ///   - workers: the threads to use.
    init(states: Tensor, network: any PixArtNetwork, workers: Workers) {
        let (config, weights, tokens) = (network.parts, network.weights, states.shape[0])
        precondition(
            tokens > 0 && states.shape[1] == config.captionWidth, "a caption of \(states.shape) for \(config.summary)")
        let (hidden, caption) = (Tensor([tokens, config.hiddenSize]), Tensor([tokens, config.hiddenSize]))
        weights.captionIn(states.pointer, rows: tokens, into: hidden.pointer, activation: .gelu, workers: workers)
        weights.captionOut(hidden.pointer, rows: tokens, into: caption.pointer, workers: workers)
        keysAndValues = weights.blocks.map { block in
            block.cross.map { cross in
                let both = Tensor([tokens, 2 * config.hiddenSize])
                cross.keysValues(caption.pointer, rows: tokens, into: both.pointer, workers: workers)
                return both
            }
        }
        width = config.hiddenSize
        attention = Attention(
            queries: network.sequences[0].tokens, keys: tokens, heads: config.heads,
            headDimension: config.headDimension, engine: network.engine, workers: workers)
    }

    /// What a caption of `tokens` tokens takes, in bytes, for latents of `queries` tokens.
    static func bytes(_ config: PixArtConfig, queries: Int, tokens: Int, workers: Workers) -> Int {
        let held = 2 * config.depth * config.hiddenSize * tokens
        let passing = (config.captionWidth + 2 * config.hiddenSize) * tokens
        return MemoryLayout<Float>.stride * (held + passing)
            + Attention.bytes(
                queries: queries, keys: tokens, headDimension: config.headDimension, workers: workers)
    }

    /// The keys of all heads in a block, a row for each token of the caption.
    func keys(ofBlock block: Int) -> Attention.Rows { rows(ofBlock: block, from: 0) }

    /// The values of all heads in a block.
    func values(ofBlock block: Int) -> Attention.Rows { rows(ofBlock: block, from: width) }

    private func rows(ofBlock block: Int, from column: Int) -> Attention.Rows {
        guard let both = keysAndValues[block] else { preconditionFailure("block \(block) reads no caption") }
        return Attention.Rows(both.pointer + column, distance: 2 * width)
    }
}
