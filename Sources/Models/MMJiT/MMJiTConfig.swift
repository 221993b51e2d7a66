/// The dimensions and conventions of an MM-JiT, the transformer of MiniT2I, as its `config.json` says them.
///
/// Source: https://github.com/PeppaKing8/minit2i-jax, models/mmjit.py; the keys are those of
/// https://github.com/Bili-Sakura/MiniT2I-diffusers, transformer_minit2i.py.
public struct MMJiTConfig: Equatable, Sendable {
    /// H = W, the side of a picture in pixels.
    public let imageSize: Int
    /// P, the side of a patch in pixels.
    public let patchSize: Int
    /// C, the number of channels.
    public let channels: Int
    /// The width of the text encoder's states.
    public let textInputWidth: Int
    /// D, the width of an image token.
    public let hiddenSize: Int
    /// The width of a text token.
    public let textHiddenSize: Int
    /// The number of joint blocks.
    public let depth: Int
    /// The number of blocks that only the text passes, before the first joint one.
    public let preambleDepth: Int
    /// H, the number of attention heads.
    public let heads: Int
    /// K, the width of a head.
    public let headDimension: Int
    /// The hidden width of the MLPs over the width of their tokens.
    public let mlpRatio: Double
    /// The width of a patch between the two layers of its embedding.
    public let patchBottleneck: Int
    /// L, the number of text tokens; shorter prompts are filled up with the mask token.
    public let promptLength: Int
    /// How many steps the model's author samples with; nil when not known.
    public private(set) var steps: Int?
    /// The guidance scale that the model's author recommends; nil when not known.
    public private(set) var guidanceScale: Double?

    /// Makes a configuration of checked values.
    ///
    /// - Throws: ``ConfigProblem`` that names the first value out of bounds.
    public init(
        imageSize: Int, patchSize: Int, channels: Int = 3, textInputWidth: Int, hiddenSize: Int, textHiddenSize: Int,
        depth: Int, preambleDepth: Int = 2, heads: Int, headDimension: Int, mlpRatio: Double, patchBottleneck: Int,
        promptLength: Int, steps: Int? = nil, guidanceScale: Double? = nil
    ) throws(ConfigProblem) {
        self.imageSize = imageSize
        self.patchSize = patchSize
        self.channels = channels
        self.textInputWidth = textInputWidth
        self.hiddenSize = hiddenSize
        self.textHiddenSize = textHiddenSize
        self.depth = depth
        self.preambleDepth = preambleDepth
        self.heads = heads
        self.headDimension = headDimension
        self.mlpRatio = mlpRatio
        self.patchBottleneck = patchBottleneck
        self.promptLength = promptLength
        self.steps = steps
        self.guidanceScale = guidanceScale
        try validate()
    }

    /// The same without recommendations: all that an image depends on.
    public var conventions: MMJiTConfig {
        var copy = self
        copy.steps = nil
        copy.guidanceScale = nil
        return copy
    }

    /// The number of patches along a side.
    public var gridSize: Int { imageSize / patchSize }
    /// T, the number of image tokens.
    public var tokens: Int { gridSize * gridSize }
    /// H K, the width of the queries of all heads.
    public var innerWidth: Int { heads * headDimension }

    /// M, the hidden width of the MLP on tokens of `width`: their product with the ratio, rounded up to a multiple of 8.
    public func mlpWidth(of width: Int) -> Int { (Int(Double(width) * mlpRatio) + 7) / 8 * 8 }

    /// What is added to a mean square by every norm.
    static let normEpsilon: Float = 1e-6
}

// MARK: - Reading

extension MMJiTConfig {
    /// Reads and validates a `config.json` of this family.
    ///
    /// - Throws: ``ModelError`` that names the file and the key at fault.
    init(file: JSONFile) throws(ModelError) {
        self = try file.read { fields throws(ConfigProblem) in try MMJiTConfig(fields) }
    }

    /// The defaults are those of MiniT2I's class, a B/16.
    private init(_ fields: ConfigFields) throws(ConfigProblem) {
        func whole(_ key: String, _ preset: Int) throws(ConfigProblem) -> Int {
            try fields.value(key, .whole, default: preset)
        }
        try fields.require("prediction", .text, "x")
        try fields.require("sampler", .text, "euler")
        let channels = try whole("in_channels", 3)
        guard try whole("cfg_channels", 3) == channels else {
            throw ConfigProblem("cfg_channels differs from in_channels; only guidance of all channels is supported")
        }
        let interval = try fields.value("cfg_interval", .list(of: .number), default: [0, 1])
        guard interval == [0, 1] else {
            throw ConfigProblem("cfg_interval is \(interval); only [0.0, 1.0], guidance at all times, is supported")
        }
        try self.init(
            imageSize: whole("image_size", 512), patchSize: whole("patch_size", 16), channels: channels,
            textInputWidth: whole("txt_input_size", 1024), hiddenSize: whole("hidden_size", 768),
            textHiddenSize: whole("txt_hidden_size", 768), depth: whole("depth_double", 17),
            preambleDepth: whole("txt_preamble_depth", 2), heads: whole("num_heads", 12),
            headDimension: whole("head_dim", 64), mlpRatio: fields.value("mlp_ratio", .number, default: 8 / 3),
            patchBottleneck: whole("pca_channels", 128), promptLength: whole("prompt_length", 256),
            steps: fields.optional("n_T", .whole), guidanceScale: fields.optional("guidance_scale", .number))
    }

    /// Checks every value and how they fit together. The bounds are far above every published model, and so low that no
    /// product of sizes in this package overflows.
    private func validate() throws(ConfigProblem) {
        let widest = 1 << 15
        try ConfigProblem.check(imageSize, 1...1 << 16, "image_size")
        try ConfigProblem.check(patchSize, 1...1 << 8, "patch_size")
        try ConfigProblem.check(channels, 1...1 << 10, "in_channels")
        try ConfigProblem.check(textInputWidth, 1...widest, "txt_input_size")
        try ConfigProblem.check(hiddenSize, 1...widest, "hidden_size")
        try ConfigProblem.check(textHiddenSize, 1...widest, "txt_hidden_size")
        try ConfigProblem.check(depth, 1...1024, "depth_double")
        try ConfigProblem.check(preambleDepth, 0...1024, "txt_preamble_depth")
        try ConfigProblem.check(heads, 1...1024, "num_heads")
        try ConfigProblem.check(headDimension, 1...1024, "head_dim")
        try ConfigProblem.check(patchBottleneck, 1...widest, "pca_channels")
        try ConfigProblem.check(promptLength, 1...1 << 12, "prompt_length")
        guard imageSize.isMultiple(of: patchSize) else {
            throw ConfigProblem("image_size \(imageSize) is not divisible by patch_size \(patchSize)")
        }
        try ConfigProblem.check(gridSize, 1...1 << 8, "image_size / patch_size")
        guard hiddenSize.isMultiple(of: 4) else {
            throw ConfigProblem("hidden_size \(hiddenSize) is not divisible by 4, as sin-cos positions require")
        }
        guard headDimension.isMultiple(of: 4) else {
            throw ConfigProblem(
                "head_dim \(headDimension) is not divisible by 4, as rotary positions on two axes require")
        }
        guard mlpRatio > 0, mlpRatio <= 64 else { throw ConfigProblem("mlp_ratio is \(mlpRatio), not in 0...64") }
        if let steps { try ConfigProblem.check(steps, 1...1000, "n_T") }
        if let guidanceScale, !guidanceScale.isFinite {
            throw ConfigProblem("guidance_scale is \(guidanceScale), not a finite number")
        }
    }
}

// MARK: - Writing

/// The encoded form is MiniT2I's `config.json`.
extension MMJiTConfig: Encodable {
    static let className = "MiniT2IMMJiTModel"

    private enum CodingKeys: String, CodingKey {
        case className = "_class_name"
        case imageSize = "image_size"
        case patchSize = "patch_size"
        case channels = "in_channels"
        case textInputWidth = "txt_input_size"
        case hiddenSize = "hidden_size"
        case textHiddenSize = "txt_hidden_size"
        case depth = "depth_double"
        case preambleDepth = "txt_preamble_depth"
        case heads = "num_heads"
        case headDimension = "head_dim"
        case mlpRatio = "mlp_ratio"
        case patchBottleneck = "pca_channels"
        case promptLength = "prompt_length"
        case steps = "n_T"
        case guidanceScale = "guidance_scale"
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(Self.className, forKey: .className)
        try values.encode(imageSize, forKey: .imageSize)
        try values.encode(patchSize, forKey: .patchSize)
        try values.encode(channels, forKey: .channels)
        try values.encode(textInputWidth, forKey: .textInputWidth)
        try values.encode(hiddenSize, forKey: .hiddenSize)
        try values.encode(textHiddenSize, forKey: .textHiddenSize)
        try values.encode(depth, forKey: .depth)
        try values.encode(preambleDepth, forKey: .preambleDepth)
        try values.encode(heads, forKey: .heads)
        try values.encode(headDimension, forKey: .headDimension)
        try values.encode(mlpRatio, forKey: .mlpRatio)
        try values.encode(patchBottleneck, forKey: .patchBottleneck)
        try values.encode(promptLength, forKey: .promptLength)
        try values.encodeIfPresent(steps, forKey: .steps)
        try values.encodeIfPresent(guidanceScale, forKey: .guidanceScale)
    }
}
