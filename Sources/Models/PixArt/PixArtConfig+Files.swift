/// The `config.json` that diffusers writes for a PixArt, with the defaults of its class; this package's own has the same
/// keys, and a few more.
///
/// Source: https://github.com/huggingface/diffusers, models/transformers/pixart_transformer_2d.py, version 0.42.1. An
/// explicit null is None there: what follows from other keys, false for a flag, and an error for everything else.
extension PixArtConfig {
    /// Reads and validates a `config.json` of this family.
    ///
    /// - Throws: ``ModelError`` that names the file and the key at fault.
    init(file: JSONFile) throws(ModelError) {
        self = try file.read { fields throws(ConfigProblem) in try PixArtConfig(fields) }
    }

    private init(_ fields: ConfigFields) throws(ConfigProblem) {
        try Self.checkSupport(fields)
        func whole(_ key: String, _ preset: Int) throws(ConfigProblem) -> Int {
            try fields.value(key, .whole, default: preset)
        }
        let (heads, headDimension) = try (whole("num_attention_heads", 16), whole("attention_head_dim", 72))
        let (width, overflow) = heads.multipliedReportingOverflow(by: headDimension)
        guard !overflow else {
            throw ConfigProblem("num_attention_heads \(heads) times attention_head_dim is too large")
        }
        guard let crossWidth = try fields.value("cross_attention_dim", .whole, default: 1152, null: 0) as Int?,
            crossWidth == width
        else { throw Self.otherCrossWidth(than: width) }
        guard let captionWidth = try fields.optional("caption_channels", .whole) else {
            throw ConfigProblem(
                "caption_channels is missing or null, so captions would not be projected; only a number is supported")
        }
        let channels = try whole("in_channels", 4)
        let outChannels =
            try fields.contains("out_channels") ? fields.optional("out_channels", .whole) ?? channels : 8
        try Self.check(outChannels: outChannels, inChannels: channels)
        let sampleSize = try whole("sample_size", 128)
        try self.init(
            depth: whole("num_layers", 28), heads: heads, headDimension: headDimension,
            patchSize: whole("patch_size", 2), sampleSize: sampleSize, inChannels: channels,
            learnSigma: outChannels != channels, captionWidth: captionWidth,
            interpolationScale: fields.optional("interpolation_scale", .number),
            hasSizeConditions: fields.optional("use_additional_conditions", .flag) ?? (sampleSize == 128),
            normEpsilon: fields.value("norm_eps", .number, default: 1e-6),
            guidance: fields.optional("guidance_scale", .number) ?? 4.5,
            promptTokens: fields.optional("prompt_tokens", .whole), height: fields.optional("latent_height", .whole),
            width: fields.optional("latent_width", .whole))
    }

    /// Checks that the output has the input's channels, or a variance beside them.
    static func check(outChannels: Int, inChannels channels: Int) throws(ConfigProblem) {
        guard outChannels == channels || (outChannels.isMultiple(of: 2) && outChannels / 2 == channels) else {
            throw ConfigProblem(
                "out_channels is \(outChannels); only in_channels (\(channels)) or twice as many are supported")
        }
    }

    /// The error of a cross-attention that is not as wide as the tokens.
    static func otherCrossWidth(than width: Int) -> ConfigProblem {
        ConfigProblem(
            "cross_attention_dim is not num_attention_heads times attention_head_dim (\(width)); only that is supported"
        )
    }

    private static func checkSupport(_ fields: ConfigFields) throws(ConfigProblem) {
        try fields.require("norm_type", .text, "ada_norm_single")
        try fields.require("activation_fn", .text, "gelu-approximate")
        try fields.require("attention_bias", .flag, true, null: false)
        try fields.require("norm_elementwise_affine", .flag, false, null: false)
        try fields.require("attention_type", .text, "default", null: "default")
        // Of the older class, Transformer2DModel.
        try fields.require("only_cross_attention", .flag, false, null: false)
        try fields.require("double_self_attention", .flag, false, null: false)
        if fields.file["num_vector_embeds"] != nil {
            throw ConfigProblem("num_vector_embeds is given; only null is supported")
        }
    }
}

/// The encoded form is this package's `config.json`.
extension PixArtConfig: Encodable {
    private enum CodingKeys: String, CodingKey {
        case architecture
        case depth = "num_layers"
        case heads = "num_attention_heads"
        case headDimension = "attention_head_dim"
        case crossWidth = "cross_attention_dim"
        case captionWidth = "caption_channels"
        case patchSize = "patch_size"
        case sampleSize = "sample_size"
        case inChannels = "in_channels"
        case outChannels = "out_channels"
        case interpolationScale = "interpolation_scale"
        case hasSizeConditions = "use_additional_conditions"
        case normEpsilon = "norm_eps"
        case guidance = "guidance_scale"
        case promptTokens = "prompt_tokens"
        case height = "latent_height"
        case width = "latent_width"
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(NetworkFamily.pixart.name, forKey: .architecture)
        try values.encode(depth, forKey: .depth)
        try values.encode(heads, forKey: .heads)
        try values.encode(headDimension, forKey: .headDimension)
        try values.encode(hiddenSize, forKey: .crossWidth)
        try values.encode(captionWidth, forKey: .captionWidth)
        try values.encode(patchSize, forKey: .patchSize)
        try values.encode(sampleSize, forKey: .sampleSize)
        try values.encode(inChannels, forKey: .inChannels)
        try values.encode(outChannels, forKey: .outChannels)
        try values.encode(positionScale, forKey: .interpolationScale)
        try values.encode(hasSizeConditions, forKey: .hasSizeConditions)
        try values.encode(normEpsilon, forKey: .normEpsilon)
        try values.encode(guidance, forKey: .guidance)
        try values.encode(promptLimit, forKey: .promptTokens)
        try values.encode(height, forKey: .height)
        try values.encode(width, forKey: .width)
    }
}
