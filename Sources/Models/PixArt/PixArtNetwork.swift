import Compute

/// A network of PixArt's parts: a ``PixArt``, or a ``LatteT2V``, half of whose blocks mix frames instead of places.
///
/// Shapes at the right margin are those of one batch entry: T tokens of all frames, D width, M MLP width, C channels, F
/// frames (none for images), P patch.
protocol PixArtNetwork: DenoisingNetwork {
    /// The sizes of its parts: the network's own, or for clips those of the network of one frame.
    var parts: PixArtConfig { get }
    var weights: PixArtWeights { get }
    /// (F, D): the positions over time, which enter once, before the second block; nil for images.
    var times: Tensor? { get }
    /// What encodes prompts.
    var prompts: any PromptEncoder { get }
    var promptRules: PromptRules { get }
    /// Whether the captions of all branches are padded or cut to the length of the first one's.
    var joinsCaptionLengths: Bool { get }
    /// What has prepared the weights.
    var engine: any Engine { get }
    /// Which tokens attend to one another: in the first block, in the second and so on, then from the beginning again.
    var sequences: [TokenSequences] { get }
}

extension PixArtNetwork {
    // swift-format-ignore
    /// Evaluates the network at one model call for some entries of the batch.
    ///
    /// All entries see the same latents (C, F, H, W); they differ in their caption. Each entry of `subset` is written to its
    /// output (Cout, F, H, W); the others are left alone. Allocates no tensor.
    func forward(
        latents: Tensor, call: Int, subset: BatchSubset, modulation: PixArtModulation, captions: [PixArtCaption],
        workspace w: PixArtWorkspace, outputs: [Tensor], interceptor: (any SiteInterceptor)?
    ) {
        let (shape, weights, parts) = (latentShape, weights, parts)
        shape.check(latents, outputs, of: subset, outChannels: parts.outChannels)
        for entry in subset {
            precondition(entry < w.entries && entry < captions.count)
        }
        modulation.prepare(call: call)
        let pass = ForwardPass(
            call: call, workers: w.workers, clock: w.clock, interceptor: interceptor, scratch: w.scratch)
        let m = w.tokens
        let x = m.hiddenStates

        pass.embed(
            latents, of: shape, by: weights.patchEmbedding, patch: parts.patchSize, positions: w.positions,
            patches: m.patches, into: m.embedded, x, subset)                                      // (T, D)
        pass.stack(of: weights.blocks.count, subset, embedded: m.embedded, x) { index, subset in  // (T, D)
            if index == 1, let times { pass.add(times, toFrames: subset, x) }
            weights.blocks[index].forward(
                index, pass, subset, parts, m, w.attentions[index], modulation: modulation.block(index),
                captions: captions)
        }
        pass.modulate(x, subset, epsilon: PixArtConfig.finalNormEpsilon, into: m.normed) { _ in
            modulation.finalLayer                                                                 // (T, D)
        }
        pass.apply(weights.finalProjection, subset, m.normed, into: m.projected)                  // (T, P P Cout)
        pass.unpatchify(m.projected, subset, of: shape, patch: parts.patchSize, into: outputs)    // (Cout, F, H, W)
    }
}

extension PixArtNetwork {
    public var hasVariance: Bool { parts.learnSigma }
    public var canBeGuided: Bool { true }

    /// The steps of all blocks, block by block.
    private var blockSteps: [[ForwardStep]] {
        weights.blocks.enumerated().map { index, block in
            block.steps(index, parts, sequences.ofBlock(index))
        }
    }

    public var sites: [Site] {
        let kinds = weights.blocks.enumerated().map { index, block in
            [sequences.ofBlock(index).layer] + (block.cross == nil ? [] : [.crossAttention]) + [.mlp]
        }
        return Site.all(
            of: zip(kinds, blockSteps).map { (kinds: $0, steps: $1) },
            grid: latentShape.grid(rows: parts.grid.rows, columns: parts.grid.columns, width: parts.hiddenSize))
    }

    public var steps: [ForwardStep] {
        ForwardStep.patched(
            rows: sequences[0].tokens, embeddings: [("patch embedding", weights.patchEmbedding)], blocks: blockSteps,
            norm: .modulation(width: parts.hiddenSize, epsilon: PixArtConfig.finalNormEpsilon),
            projection: weights.finalProjection)
    }

    public var preparation: [ForwardStep] {
        [
            ForwardStep(
                "modulation", rows: CallWindow.largest, isShared: true, .product(weights.modulation, activation: nil))
        ]
            + weights.blocks.compactMap(\.cross).prefix(1).map {
                ForwardStep(
                    "caption's keys, values", rows: PixArtCaption.usualLength,
                    .product($0.keysValues, activation: nil))
            }
    }

    public func workspace(entries: Int, workers: Workers) -> any ForwardWorkspace {
        PixArtWorkspace(network: self, entries: entries, workers: workers)
    }
}
