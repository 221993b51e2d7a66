import Compute

extension NetworkFamily {
    /// DiT and SiT, which differ only in what they were trained on.
    static let diffusionTransformers = NetworkFamily(
        name: "DiT", networkClasses: ["DiTTransformer2DModel", "Transformer2DModel"],
        normType: "ada_norm_zero",
        pipelineClasses: ["DiTPipeline"], sizes: DiTConfig.published
    ) { file throws(ModelError) in try DiTConfig(file: file) }
}

extension DiTConfig: NetworkConfiguration {
    /// The sizes of table 1 of the paper, for images of 256 x 256 pixels, as `DiT_models` of
    /// https://github.com/facebookresearch/DiT names them.
    fileprivate static let published = published(classes: 1000) { $0 }

    /// Networks of the published sizes, for latents of 32 x 32.
    ///
    /// - Parameters:
    ///   - classes: how many classes they have.
    ///   - network: the network of a size's parts.
    /// - Returns: a network of each width and patch, by names such as S/2.
    static func published(
        classes: Int, _ network: @escaping @Sendable (DiTConfig) throws -> any NetworkConfiguration
    ) -> [NetworkFamily.Size] {
        [("S", 12, 384, 6), ("B", 12, 768, 12), ("L", 24, 1024, 16), ("XL", 28, 1152, 16)].flatMap { size in
            [2, 4, 8].map { patch in
                NetworkFamily.Size(name: "\(size.0)/\(patch)") {
                    try network(
                        DiTConfig(
                            depth: size.1, hiddenSize: size.2, heads: size.3, patchSize: patch, inputSize: 32,
                            inChannels: 4, learnSigma: true, numClasses: classes))
                }
            }
        }
    }

    public var latentShape: LatentShape { LatentShape(channels: inChannels, height: inputSize, width: inputSize) }
    /// Which tokens attend to one another: all of them.
    var sequences: [TokenSequences] { [.all(tokens)] }
    public var hasVariance: Bool { learnSigma }
    public var conditions: ConditionKind { .classes(numClasses) }
    public var size: TransformerSize {
        TransformerSize(depth: depth, width: hiddenSize, heads: heads, tokens: tokens)
    }

    public var summary: String {
        "DiT, depth \(depth), width \(hiddenSize), \(heads) heads, patch \(patchSize), input \(inChannels) x "
            + "\(inputSize) x \(inputSize)"
    }

    public func checkNames(in archive: WeightArchive) throws(ModelError) { try DiTWeights.layout(of: archive) }

    public func canBeGuided(by archive: WeightArchive) -> Bool { DiTWeights.hasNullClass(in: archive, config: self) }

    public func runBytes(entries: Int, workers: Workers) -> Int {
        DiTWorkspace.bytes(self, sequences, entries: entries, workers: workers)
            + ModulationTable.bytes(self, entries: entries)
    }

    public func load(
        from archive: WeightArchive, prompts: (any PromptEncoder)?, precision: WeightPrecision, engine: any Engine,
        progress: ((Double) -> Void)?
    ) throws -> any DenoisingNetwork {
        DiT(
            config: self,
            weights: try DiTWeights(
                from: archive, config: self, precision: precision, engine: engine, progress: progress),
            engine: engine)
    }

    public func random(seed: UInt64, engine: any Engine) throws -> any DenoisingNetwork {
        DiT(config: self, weights: try DiTWeights(random: self, seed: seed, engine: engine), engine: engine)
    }

    public func enlarged(by factor: Int) throws -> DiTConfig {
        try DiTConfig(
            depth: depth, hiddenSize: hiddenSize, heads: heads, patchSize: patchSize, inputSize: factor * inputSize,
            inChannels: inChannels, learnSigma: learnSigma, numClasses: numClasses, mlpRatio: mlpRatio)
    }
}

extension DiT: DiTNetwork {
    public var latentShape: LatentShape { config.latentShape }
    public var conditions: ConditionKind { config.conditions }
    public var parts: DiTConfig { config }
    public var times: Tensor? { nil }
    public var sequences: [TokenSequences] { config.sequences }
}
