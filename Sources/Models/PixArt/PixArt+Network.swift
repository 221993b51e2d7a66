import Compute

extension NetworkFamily {
    /// PixArt-alpha and PixArt-Sigma.
    static let pixart = NetworkFamily(
        name: "PixArt", networkClasses: ["PixArtTransformer2DModel", "Transformer2DModel"],
        normType: "ada_norm_single",
        pipelineClasses: [PixArtConfig.alphaPipeline, PixArtConfig.sigmaPipeline], sizes: PixArtConfig.published
    ) { file throws(ModelError) in try PixArtConfig(file: file) }
}

extension PixArtConfig: NetworkConfiguration {
    /// The only published size, XL/2, for Sigma's pictures of 256, 512 and 1024 pixels.
    fileprivate static let published: [NetworkFamily.Size] = [(32, 0.5), (64, 1), (128, 2)].map { side, scale in
        NetworkFamily.Size(name: "XL/2-\(pixelsPerLatent * side)") {
            try PixArtConfig(
                depth: 28, heads: 16, headDimension: 72, sampleSize: side, interpolationScale: scale)
        }
    }

    public var latentShape: LatentShape { LatentShape(channels: inChannels, height: height, width: width) }
    public var hasVariance: Bool { learnSigma }
    public var conditions: ConditionKind { .prompts(promptRules) }
    public var classNames: [String] { [] }
    public var valueRange: ClosedRange<Double>? { nil }
    public var guidanceScale: Double? { guidance }
    /// The default of diffusers' pipelines.
    public var steps: Int? { 20 }
    public var guidanceChannels: Int? { nil }
    public var size: TransformerSize {
        TransformerSize(depth: depth, width: hiddenSize, heads: heads, tokens: tokens)
    }

    /// Which tokens attend to one another: all of them.
    var sequences: [TokenSequences] { [.all(tokens)] }

    var promptRules: PromptRules {
        PromptRules(tokens: promptLimit, isSimplified: true, examples: Self.examplePrompts, width: captionWidth)
    }

    public var summary: String {
        "PixArt, depth \(depth), width \(hiddenSize), \(heads) heads, patch \(patchSize), input \(inChannels) x "
            + "\(height) x \(width), prompts of up to \(promptLimit) tokens"
            + (hasSizeConditions ? ", told the picture's size" : "")
    }

    public func checkNames(in archive: WeightArchive) throws(ModelError) { try PixArtWeights.layout(of: archive) }

    public func canBeGuided(by archive: WeightArchive) -> Bool { true }

    public func runBytes(entries: Int, workers: Workers) -> Int {
        PixArtWorkspace.bytes(self, sequences, entries: entries, workers: workers)
            + PixArtModulation.bytes(self, blocks: depth)
            + entries * PixArtCaption.bytes(self, queries: tokens, tokens: promptLimit, workers: workers)
    }

    public func load(
        from archive: WeightArchive, prompts: (any PromptEncoder)?, precision: WeightPrecision, engine: any Engine,
        progress: ((Double) -> Void)?
    ) throws -> any DenoisingNetwork {
        let prompts = try prompts.checked(width: captionWidth, key: "caption_channels", in: archive.directory)
        return PixArt(
            config: self,
            weights: try PixArtWeights(
                from: archive, config: self, precision: precision, engine: engine, progress: progress),
            prompts: prompts, engine: engine)
    }

    public func random(seed: UInt64, engine: any Engine) throws -> any DenoisingNetwork {
        PixArt(
            config: self, weights: try PixArtWeights(random: self, seed: seed, engine: engine),
            prompts: RandomPromptEncoder(width: captionWidth, tokens: PixArtCaption.usualLength), engine: engine)
    }

    public func enlarged(by factor: Int) throws -> PixArtConfig {
        try sized(latentHeight: factor * height, latentWidth: factor * width)
    }
}

extension PixArt: PixArtNetwork {
    public var latentShape: LatentShape { config.latentShape }
    public var conditions: ConditionKind { config.conditions }
    public var parameterCount: Int { PixArtWeights.declared(config).parameterCount }
    var parts: PixArtConfig { config }
    var times: Tensor? { nil }
    var sequences: [TokenSequences] { config.sequences }
    var promptRules: PromptRules { config.promptRules }
    /// Its pipelines mask what pads.
    var joinsCaptionLengths: Bool { false }
}
