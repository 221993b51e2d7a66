import Compute

extension NetworkFamily {
    /// Latte, class-conditional or unconditional.
    static let latte = NetworkFamily(
        name: "Latte", networkClasses: [], pipelineClasses: [], sizes: LatteConfig.published
    ) { file throws(ModelError) in try LatteConfig(file: file) }
}

extension LatteConfig: NetworkConfiguration {
    /// The sizes of `Latte_models` of https://github.com/Vchitect/Latte, for UCF101: 16 frames of 256 x 256 pixels.
    fileprivate static let published = DiTConfig.published(classes: 101) { try LatteConfig(frame: $0, frames: 16) }

    public var latentShape: LatentShape {
        LatentShape(
            channels: frame.inChannels, frames: frames, height: frame.inputSize, width: frame.inputSize)
    }
    public var hasVariance: Bool { frame.hasVariance }
    /// An unconditional model draws the only class that it has.
    public var conditions: ConditionKind { frame.conditions }
    public var classNames: [String] {
        isConditional || !frame.classNames.isEmpty ? frame.classNames : ["unconditional"]
    }
    public var valueRange: ClosedRange<Double>? { frame.valueRange }
    public var guidanceScale: Double? { frame.guidanceScale }
    public var guidanceChannels: Int? { frame.guidanceChannels }
    public var size: TransformerSize {
        TransformerSize(
            depth: frame.depth, width: frame.hiddenSize, heads: frame.heads, tokens: frames * frame.tokens)
    }

    public var summary: String {
        "Latte, depth \(frame.depth), width \(frame.hiddenSize), \(frame.heads) heads, patch \(frame.patchSize), "
            + "\(frames) frames of \(frame.inChannels) x \(frame.inputSize) x \(frame.inputSize)"
            + (isConditional ? "" : ", unconditional")
    }

    public func checkNames(in archive: WeightArchive) throws(ModelError) { try DiTWeights.layout(of: archive) }

    public func canBeGuided(by archive: WeightArchive) -> Bool {
        isConditional && DiTWeights.hasNullClass(in: archive, config: frame)
    }

    public func runBytes(entries: Int, workers: Workers) -> Int {
        DiTWorkspace.bytes(frame, sequences, entries: entries, workers: workers)
            + ModulationTable.bytes(frame, entries: entries)
    }

    public func load(
        from archive: WeightArchive, prompts: (any PromptEncoder)?, precision: WeightPrecision, engine: any Engine,
        progress: ((Double) -> Void)?
    ) throws -> any DenoisingNetwork {
        Latte(
            config: self,
            weights: try LatteWeights(
                from: archive, config: self, precision: precision, engine: engine, progress: progress),
            engine: engine)
    }

    public func random(seed: UInt64, engine: any Engine) throws -> any DenoisingNetwork {
        Latte(config: self, weights: try LatteWeights(random: self, seed: seed, engine: engine), engine: engine)
    }

    public func enlarged(by factor: Int) throws -> LatteConfig {
        try LatteConfig(
            frame: frame.enlarged(by: factor), frames: frames, isConditional: isConditional,
            framesPerSecond: framesPerSecond)
    }
}
