import Compute

extension NetworkFamily {
    /// MM-JiT, the transformers of MiniT2I.
    static let miniT2I = NetworkFamily(
        name: "MM-JiT", networkClasses: [MMJiTConfig.className], pipelineClasses: ["MiniT2ITextToImagePipeline"],
        sizes: MMJiTConfig.published
    ) { file throws(ModelError) in try MMJiTConfig(file: file) }
}

extension MMJiTConfig: NetworkConfiguration {
    /// The published sizes, for pictures of 512 x 512 pixels and prompts encoded by flan-t5-large.
    ///
    /// Source: https://github.com/PeppaKing8/minit2i-jax, configs.
    fileprivate static let published: [NetworkFamily.Size] =
        [
            ("B/16", 16, 768, 17, 12, 64, 8.0 / 3), ("B/32", 32, 768, 17, 12, 64, 8.0 / 3),
            ("L/16", 16, 1248, 23, 24, 52, 2.7),
        ]
        .map { size in
            NetworkFamily.Size(name: "MiniT2I-\(size.0)") {
                try MMJiTConfig(
                    imageSize: 512, patchSize: size.1, textInputWidth: 1024, hiddenSize: size.2,
                    textHiddenSize: size.2, depth: size.3, heads: size.4, headDimension: size.5, mlpRatio: size.6,
                    patchBottleneck: 128, promptLength: 256)
            }
        }

    public var latentShape: LatentShape { LatentShape(channels: channels, height: imageSize, width: imageSize) }
    public var hasVariance: Bool { false }
    public var conditions: ConditionKind { .prompts(promptRules) }

    var promptRules: PromptRules {
        PromptRules(tokens: promptLength, examples: Self.examplePrompts, width: textInputWidth)
    }
    public var classNames: [String] { [] }
    public var valueRange: ClosedRange<Double>? { -1...1 }
    public var guidanceChannels: Int? { nil }
    public var size: TransformerSize {
        TransformerSize(depth: depth, width: hiddenSize, heads: heads, tokens: tokens)
    }

    public var summary: String {
        "MM-JiT, depth \(depth), width \(hiddenSize), \(heads) heads, patch \(patchSize), pictures of \(channels) x "
            + "\(imageSize) x \(imageSize), prompts of \(promptLength) tokens"
    }

    /// x = t x0 + (1 - t) 2 ε from t = 0 to 1; the velocity (x0 - x) / (1 - t) is divided by no less than 0.05.
    ///
    /// Source: https://github.com/PeppaKing8/minit2i-jax, diffusion.py.
    public var process: String {
        #"{"prediction_type": "flow", "flow_direction": "to_data", "timestep_scale": 1, "flow_output": "sample", "#
            + #""velocity_floor": 0.05, "noise_scale": 2}"#
    }

    public func checkNames(in archive: WeightArchive) throws(ModelError) { try MMJiTWeights.checkNames(in: archive) }

    public func canBeGuided(by archive: WeightArchive) -> Bool { true }

    public func runBytes(entries: Int, workers: Workers) -> Int {
        MMJiTWorkspace.bytes(self, entries: entries, workers: workers)
    }

    public func load(
        from archive: WeightArchive, prompts: (any PromptEncoder)?, precision: WeightPrecision, engine: any Engine,
        progress: ((Double) -> Void)?
    ) throws -> any DenoisingNetwork {
        let prompts = try prompts.checked(width: textInputWidth, key: "txt_input_size", in: archive.directory)
        return MMJiT(
            config: self,
            weights: try MMJiTWeights(
                from: archive, config: self, precision: precision, engine: engine, progress: progress),
            prompts: prompts, engine: engine)
    }

    public func random(seed: UInt64, engine: any Engine) throws -> any DenoisingNetwork {
        MMJiT(
            config: self, weights: try MMJiTWeights.declared(self).random(seed: seed, engine: engine),
            prompts: RandomPromptEncoder(width: textInputWidth, tokens: promptLength), engine: engine)
    }

    public func enlarged(by factor: Int) throws -> MMJiTConfig {
        try MMJiTConfig(
            imageSize: factor * imageSize, patchSize: patchSize, channels: channels, textInputWidth: textInputWidth,
            hiddenSize: hiddenSize, textHiddenSize: textHiddenSize, depth: depth, preambleDepth: preambleDepth,
            heads: heads, headDimension: headDimension, mlpRatio: mlpRatio, patchBottleneck: patchBottleneck,
            promptLength: promptLength)
    }
}

extension MMJiT: DenoisingNetwork {
    public var latentShape: LatentShape { config.latentShape }
    public var hasVariance: Bool { false }
    public var conditions: ConditionKind { config.conditions }
    public var canBeGuided: Bool { true }
    public var parameterCount: Int { MMJiTWeights.declared(config).parameterCount }

    private var blockSteps: [[ForwardStep]] {
        weights.blocks.enumerated().map { $1.steps($0, config, isLast: $0 == config.depth - 1) }
    }

    public var sites: [Site] {
        Site.all(
            of: blockSteps.enumerated().map { index, steps in
                let isLast = index == config.depth - 1
                return (isLast ? [.attention, .mlp] : [.attention, .textAttention, .mlp, .textMLP], steps)
            }, grid: [config.gridSize, config.gridSize, config.hiddenSize]
        ) { [.textAttention, .textMLP].contains($0) ? [config.promptLength, config.textHiddenSize] : nil }
    }

    public var steps: [ForwardStep] {
        ForwardStep.patched(
            rows: config.tokens,
            embeddings: [("patch projection", weights.patchProjection), ("patch embedding", weights.patchEmbedding)],
            blocks: blockSteps, norm: .rmsNorm(width: config.hiddenSize), projection: weights.finalProjection)
    }

    public var preparation: [ForwardStep] {
        [
            ForwardStep(
                "text embedding", rows: config.promptLength, .product(weights.textEmbedding, activation: nil))
        ]
    }

    public func workspace(entries: Int, workers: Workers) -> any ForwardWorkspace {
        MMJiTWorkspace(network: self, entries: entries, workers: workers)
    }
}
