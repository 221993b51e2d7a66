/// The sizes and conventions of a LatteT2V (Ma et al., arXiv 2401.03048): PixArt's blocks and, between them, such as mix the
/// tokens of a place over all frames, without a caption.
///
/// A value of this type has been validated: its sizes are positive and bounded, and fit one another.
public struct LatteT2VConfig: Equatable, Sendable {
    /// The sizes of the parts: those of a PixArt of one frame, with as many blocks as there are over space.
    public private(set) var frame: PixArtConfig
    /// The number of frames F of a clip.
    public let frames: Int

    static let networkClass = "LatteTransformer3DModel"

    /// Makes a configuration of checked values.
    ///
    /// - Throws: ``ConfigProblem`` that names the first value out of bounds.
    public init(frame: PixArtConfig, frames: Int = 16) throws(ConfigProblem) {
        self.frame = frame
        self.frames = frames
        try ConfigProblem.check(frames, 1...1 << 10, "video_length")
    }

    /// The same without recommendations: all that a clip depends on.
    public var conventions: LatteT2VConfig {
        var copy = self
        copy.frame = frame.conventions
        return copy
    }

    /// The same for pictures of another size: any of whole patches, as the positions span the same distance.
    public func sized(width: Int, height: Int) throws(ConfigProblem) -> LatteT2VConfig {
        var copy = self
        copy.frame = try frame.sizedFreely(width: width, height: height)
        return copy
    }

    public func enlarged(by factor: Int) throws -> LatteT2VConfig {
        var copy = self
        copy.frame = try frame.enlarged(by: factor)
        return copy
    }

    /// Which tokens attend to one another, by turns: those of a frame, and those of a place.
    var sequences: [TokenSequences] { .byTurns(frames: frames, tokens: frame.tokens) }
}

/// The `config.json` that diffusers writes, with the defaults of its class; this package's own has the same keys, and a few
/// more.
///
/// Source: https://github.com/huggingface/diffusers, models/transformers/latte_transformer_3d.py and
/// pipelines/latte/pipeline_latte.py, version 0.42.1.
extension LatteT2VConfig {
    /// Of the pipeline: the guidance scale, and the most tokens of a prompt.
    private static let (guidance, promptTokens) = (7.5, PixArtConfig.alphaTokens)

    /// Reads and validates a `config.json` of this family.
    ///
    /// - Throws: ``ModelError`` that names the file and the key at fault.
    init(file: JSONFile) throws(ModelError) {
        self = try file.read { fields throws(ConfigProblem) in try LatteT2VConfig(fields) }
    }

    private init(_ fields: ConfigFields) throws(ConfigProblem) {
        for (key, supported) in [("norm_type", "ada_norm_single"), ("activation_fn", "gelu-approximate")] {
            guard try fields.required(key, .text) == supported else {
                throw ConfigProblem("\(key) is not \(supported); only that is supported")
            }
        }
        guard try fields.value("attention_bias", .flag, default: false, null: false) else {
            throw ConfigProblem("attention_bias is false; only true is supported")
        }
        guard try !fields.value("norm_elementwise_affine", .flag, default: true, null: false) else {
            throw ConfigProblem("norm_elementwise_affine is true; only false is supported")
        }
        let heads = try fields.value("num_attention_heads", .whole, default: 16)
        let headDimension = try fields.value("attention_head_dim", .whole, default: 88)
        let channels = try fields.required("in_channels", .whole)
        let outChannels = try fields.optional("out_channels", .whole) ?? channels
        try PixArtConfig.check(outChannels: outChannels, inChannels: channels)
        let sampleSize = try fields.value("sample_size", .whole, default: 64)
        let frame = try PixArtConfig(
            depth: fields.value("num_layers", .whole, default: 1), heads: heads, headDimension: headDimension,
            patchSize: fields.required("patch_size", .whole), sampleSize: sampleSize, inChannels: channels,
            learnSigma: outChannels != channels, captionWidth: fields.required("caption_channels", .whole),
            normEpsilon: fields.value("norm_eps", .number, default: 1e-5),
            guidance: fields.optional("guidance_scale", .number) ?? Self.guidance,
            promptTokens: fields.optional("prompt_tokens", .whole) ?? Self.promptTokens,
            height: fields.optional("latent_height", .whole), width: fields.optional("latent_width", .whole))
        guard try fields.required("cross_attention_dim", .whole) == frame.hiddenSize else {
            throw PixArtConfig.otherCrossWidth(than: frame.hiddenSize)
        }
        try self.init(frame: frame, frames: fields.value("video_length", .whole, default: 16))
    }
}

/// The encoded form is this package's `config.json`.
extension LatteT2VConfig: Encodable {
    private enum CodingKeys: String, CodingKey {
        case architecture
        case frames = "video_length"
        case normType = "norm_type"
        case activation = "activation_fn"
        case hasBias = "attention_bias"
        case isAffine = "norm_elementwise_affine"
    }

    public func encode(to encoder: any Encoder) throws {
        try frame.encode(to: encoder)
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(NetworkFamily.latteT2V.name, forKey: .architecture)
        try values.encode(frames, forKey: .frames)
        try values.encode("ada_norm_single", forKey: .normType)
        try values.encode("gelu-approximate", forKey: .activation)
        try values.encode(true, forKey: .hasBias)
        try values.encode(false, forKey: .isAffine)
    }
}
