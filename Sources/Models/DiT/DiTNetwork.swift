import Compute

/// A network of DiT's parts: a ``DiT``, or a ``Latte``, whose blocks take turns at which tokens they mix.
///
/// Shapes at the right margin are those of one batch entry: T tokens of all frames, D width, M MLP width, C channels, F
/// frames (none for images), P patch.
public protocol DiTNetwork: DenoisingNetwork {
    /// The sizes of its parts: the network's own, or for clips those of the network of one frame.
    var parts: DiTConfig { get }
    var weights: DiTWeights { get }
    /// (F, D): the positions over time, which enter once, before the second block; nil for images.
    var times: Tensor? { get }
    /// What has prepared the weights.
    var engine: any Engine { get }
    /// Which tokens attend to one another: in the first block, in the second and so on, then from the beginning again.
    var sequences: [TokenSequences] { get }
}

extension DiTNetwork {
    // swift-format-ignore
    /// Evaluates the network at one model call for some entries of the batch.
    ///
    /// All entries see the same latents (C, F, H, W); they differ in their class, that is, in their rows of the modulation
    /// table. Each entry of `subset` is written to its output (Cout, F, H, W); the others are left alone. Allocates no
    /// tensor.
    public func forward(
        latents: Tensor, call: Int, subset: BatchSubset, modulation: ModulationTable, workspace: DiTWorkspace,
        outputs: [Tensor], interceptor: (any SiteInterceptor)? = nil
    ) {
        let (shape, weights, parts) = (latentShape, weights, parts)
        shape.check(latents, outputs, of: subset, outChannels: parts.outChannels)
        precondition(workspace.network === self && modulation.network === self, "made for another network")
        for entry in subset {
            precondition(entry < workspace.entries && entry < modulation.classes.count)
        }
        modulation.prepare(call: call)
        let pass = ForwardPass(
            call: call, workers: workspace.workers, clock: workspace.clock, interceptor: interceptor,
            scratch: workspace.scratch)
        let (w, m) = (workspace, workspace.tokens)
        let x = m.hiddenStates

        pass.embed(
            latents, of: shape, by: weights.patchEmbedding, patch: parts.patchSize, positions: weights.positions,
            patches: m.patches, into: m.embedded, x, subset)                                      // (T, D)
        pass.stack(of: weights.blocks.count, subset, embedded: m.embedded, x) { index, subset in  // (T, D)
            if index == 1, let times { pass.add(times, toFrames: subset, x) }
            weights.blocks[index].forward(index, pass, subset, parts, m, w.attentions[index]) {
                modulation.block(index, call: call, entry: $0)
            }
        }
        pass.modulate(x, subset, epsilon: parts.normEpsilon, into: m.normed) {
            modulation.finalLayer(call: call, entry: $0)                                          // (T, D)
        }
        pass.apply(weights.finalProjection, subset, m.normed, into: m.projected)                  // (T, P P Cout)
        pass.unpatchify(m.projected, subset, of: shape, patch: parts.patchSize, into: outputs)    // (Cout, F, H, W)
    }
}

extension DiTNetwork {
    public var hasVariance: Bool { parts.learnSigma }
    public var canBeGuided: Bool { weights.hasNullClass }
    public var parameterCount: Int { weights.parameterCount(parts) }

    /// The steps of all blocks, block by block.
    private var blockSteps: [[ForwardStep]] {
        weights.blocks.enumerated().map { index, block in
            block.steps(index, parts, sequences.ofBlock(index))
        }
    }

    public var sites: [Site] {
        Site.all(
            of: blockSteps.enumerated().map { index, steps in
                ([sequences.ofBlock(index).layer, .mlp], steps)
            },
            grid: latentShape.grid(rows: parts.gridSize, columns: parts.gridSize, width: parts.hiddenSize))
    }

    public var steps: [ForwardStep] {
        ForwardStep.patched(
            rows: sequences[0].tokens, embeddings: [("patch embedding", weights.patchEmbedding)], blocks: blockSteps,
            norm: .modulation(width: parts.hiddenSize, epsilon: parts.normEpsilon), projection: weights.finalProjection)
    }

    public var preparation: [ForwardStep] {
        [
            ForwardStep(
                "modulation", rows: CallWindow.largest,
                .product(weights.blocks[0].modulation, activation: nil))
        ]
    }

    public func workspace(entries: Int, workers: Workers) -> any ForwardWorkspace {
        DiTWorkspace(network: self, entries: entries, workers: workers)
    }
}
