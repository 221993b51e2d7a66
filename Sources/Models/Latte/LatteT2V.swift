import Compute

/// A LatteT2V (Ma et al., arXiv 2401.03048): a PixArt of clips, which draws from prompts.
///
/// Behind each of PixArt's blocks comes one of the same kind without cross-attention, whose attention is over time.
///
/// Source: https://github.com/huggingface/diffusers, models/transformers/latte_transformer_3d.py, version 0.42.1.
public final class LatteT2V: PixArtNetwork {
    public let config: LatteT2VConfig
    public let weights: PixArtWeights
    public let sequences: [TokenSequences]
    let times: Tensor?
    let prompts: any PromptEncoder
    let engine: any Engine

    /// Joins a configuration with its weights, which `engine` has prepared, and with what encodes prompts.
    init(config: LatteT2VConfig, weights: PixArtWeights, prompts: any PromptEncoder, engine: any Engine) {
        self.config = config
        self.weights = weights
        self.prompts = prompts
        self.engine = engine
        sequences = config.sequences
        // The reference adds none to a single frame.
        times =
            config.frames == 1
            ? nil : SinCosPositions.table(frames: config.frames, width: config.frame.hiddenSize)
    }

    public var latentShape: LatentShape { config.latentShape }
    public var conditions: ConditionKind { config.conditions }
    public var parameterCount: Int { PixArtWeights.declared(config.frame, isOfClips: true).parameterCount }
    var parts: PixArtConfig { config.frame }
    var promptRules: PromptRules { config.promptRules }
    /// Its pipeline fills up the negative prompt, or cuts it, to the length of the prompt, and masks nothing.
    var joinsCaptionLengths: Bool { true }
}

extension NetworkFamily {
    /// LatteT2V, as the pipelines of diffusers have it.
    static let latteT2V = NetworkFamily(
        name: "LatteT2V", networkClasses: [LatteT2VConfig.networkClass], pipelineClasses: ["LattePipeline"],
        sizes: [
            Size(name: "XL/2-512") {
                try LatteT2VConfig(
                    frame: PixArtConfig(depth: 28, heads: 16, headDimension: 72, sampleSize: 64, promptTokens: 120))
            }
        ]
    ) { file throws(ModelError) in try LatteT2VConfig(file: file) }
}

extension LatteT2VConfig: NetworkConfiguration {
    public var latentShape: LatentShape {
        LatentShape(channels: frame.inChannels, frames: frames, height: frame.height, width: frame.width)
    }
    public var hasVariance: Bool { frame.hasVariance }
    public var conditions: ConditionKind { .prompts(promptRules) }
    public var classNames: [String] { [] }
    public var valueRange: ClosedRange<Double>? { nil }
    public var guidanceScale: Double? { frame.guidanceScale }
    /// The default of diffusers' pipeline.
    public var steps: Int? { 50 }
    public var guidanceChannels: Int? { nil }
    /// The rate at which the pipeline's authors show clips.
    public var framesPerSecond: Int? { 8 }
    public var size: TransformerSize {
        TransformerSize(
            depth: 2 * frame.depth, width: frame.hiddenSize, heads: frame.heads, tokens: frames * frame.tokens)
    }

    var promptRules: PromptRules {
        PromptRules(
            tokens: frame.promptLimit, isSimplified: true, examples: Self.examplePrompts, width: frame.captionWidth)
    }

    public var summary: String {
        "LatteT2V, depth \(frame.depth) + \(frame.depth), width \(frame.hiddenSize), \(frame.heads) heads, patch "
            + "\(frame.patchSize), \(frames) frames of \(frame.inChannels) x \(frame.height) x \(frame.width), prompts of up "
            + "to \(frame.promptLimit) tokens"
    }

    public func checkNames(in archive: WeightArchive) throws(ModelError) { try PixArtWeights.layout(of: archive) }

    public func canBeGuided(by archive: WeightArchive) -> Bool { true }

    public func runBytes(entries: Int, workers: Workers) -> Int {
        let tokens = frames * frame.tokens
        return PixArtWorkspace.bytes(frame, sequences, entries: entries, workers: workers)
            + PixArtModulation.bytes(frame, blocks: 2 * frame.depth)
            + entries
            * PixArtCaption.bytes(frame, queries: tokens, tokens: frame.promptLimit, workers: workers)
    }

    public func load(
        from archive: WeightArchive, prompts: (any PromptEncoder)?, precision: WeightPrecision, engine: any Engine,
        progress: ((Double) -> Void)?
    ) throws -> any DenoisingNetwork {
        let prompts = try prompts.checked(width: frame.captionWidth, key: "caption_channels", in: archive.directory)
        return LatteT2V(
            config: self,
            weights: try PixArtWeights(
                from: archive, config: frame, isOfClips: true, precision: precision, engine: engine,
                progress: progress),
            prompts: prompts, engine: engine)
    }

    public func random(seed: UInt64, engine: any Engine) throws -> any DenoisingNetwork {
        LatteT2V(
            config: self, weights: try PixArtWeights(random: frame, isOfClips: true, seed: seed, engine: engine),
            prompts: RandomPromptEncoder(width: frame.captionWidth, tokens: PixArtCaption.usualLength), engine: engine)
    }
}
