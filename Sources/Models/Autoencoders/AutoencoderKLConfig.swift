/// The sizes and conventions of the decoder of a KL-regularised autoencoder, the VAE of Stable Diffusion (Rombach et
/// al., arXiv 2112.10752), from the `config.json` that diffusers writes, with the defaults of its class.
///
/// Source: https://github.com/huggingface/diffusers, models/autoencoders/autoencoder_kl.py, version 0.42.1. What
/// concerns only the encoder is not read.
public struct AutoencoderKLConfig: Equatable, Sendable {
    /// The channels of the latents.
    public let latentChannels: Int
    /// The channels of the image.
    public let outChannels: Int
    /// The width of each level, from the image's resolution down to the latents'.
    public let blockOutChannels: [Int]
    /// The residual blocks of a level of the encoder; the decoder has one more.
    public let layersPerBlock: Int
    /// The groups of every group norm.
    public let normGroups: Int
    /// What latents were multiplied by after ``shiftFactor`` was taken away.
    public let scalingFactor: Double
    /// What was taken away from latents.
    public let shiftFactor: Double
    /// The side of the images of the training; it says nothing about what can be decoded.
    public let sampleSize: Int
    /// Whether a convolution of one tap comes before the decoder.
    public let usesPostQuantConvolution: Bool
    /// Whether an attention stands between the two middle blocks.
    public let hasMidBlockAttention: Bool

    /// What every group norm adds to the variance.
    static let normEpsilon = 1e-6

    /// The pixels of the image along a side for each pixel of the latents.
    public var scale: Int { 1 << (blockOutChannels.count - 1) }
}

extension AutoencoderKLConfig: Decodable {
    private enum CodingKeys: String, CodingKey {
        case latentChannels = "latent_channels"
        case outChannels = "out_channels"
        case blockOutChannels = "block_out_channels"
        case upBlockTypes = "up_block_types"
        case layersPerBlock = "layers_per_block"
        case normGroups = "norm_num_groups"
        case activation = "act_fn"
        case scalingFactor = "scaling_factor"
        case shiftFactor = "shift_factor"
        case latentsMean = "latents_mean"
        case latentsDeviation = "latents_std"
        case sampleSize = "sample_size"
        case usesPostQuantConvolution = "use_post_quant_conv"
        case hasMidBlockAttention = "mid_block_add_attention"
    }

    /// Decodes and validates.
    ///
    /// - Throws: `DecodingError` where a value is of another type, ``ConfigProblem`` where one is not supported or out
    ///   of bounds.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func number(_ key: CodingKeys, _ standard: Int) throws -> Int {
            try values.decodeIfPresent(WholeNumber.self, forKey: key)?.value ?? standard
        }
        latentChannels = try number(.latentChannels, 4)
        outChannels = try number(.outChannels, 3)
        blockOutChannels =
            try values.decodeIfPresent([WholeNumber].self, forKey: .blockOutChannels)?.map(\.value) ?? [64]
        layersPerBlock = try number(.layersPerBlock, 1)
        normGroups = try number(.normGroups, 32)
        scalingFactor = try values.decodeIfPresent(Double.self, forKey: .scalingFactor) ?? 0.18215
        shiftFactor = try values.decodeIfPresent(Double.self, forKey: .shiftFactor) ?? 0
        sampleSize = try values.decodeIfPresent(SideLength.self, forKey: .sampleSize)?.value ?? 32
        usesPostQuantConvolution = try values.decodeIfPresent(Bool.self, forKey: .usesPostQuantConvolution) ?? true
        hasMidBlockAttention = try values.decodeIfPresent(Bool.self, forKey: .hasMidBlockAttention) ?? true

        let upBlockTypes = try values.decodeIfPresent([String].self, forKey: .upBlockTypes) ?? ["UpDecoderBlock2D"]
        let activation = try values.decodeIfPresent(String.self, forKey: .activation) ?? "silu"
        for key in [CodingKeys.latentsMean, .latentsDeviation] where values.contains(key) {
            guard try values.decodeNil(forKey: key) else {
                throw ConfigProblem("\(key.rawValue) is given; only null is supported")
            }
        }
        try validate(upBlockTypes: upBlockTypes, activation: activation)
    }

    private func validate(upBlockTypes: [String], activation: String) throws(ConfigProblem) {
        // Two names of one function in diffusers.
        guard activation == "silu" || activation == "swish" else {
            throw ConfigProblem("act_fn is \(activation); only silu is supported")
        }
        if let other = upBlockTypes.first(where: { $0 != "UpDecoderBlock2D" }) {
            throw ConfigProblem("up_block_types holds \(other); only UpDecoderBlock2D is supported")
        }
        try AutoencoderBounds.checkChannels(latent: latentChannels, image: outChannels)
        try AutoencoderBounds.check(
            blockOutChannels.count, AutoencoderBounds.levels, "the number of block_out_channels")
        guard upBlockTypes.count == blockOutChannels.count else {
            throw ConfigProblem(
                "up_block_types has \(upBlockTypes.count) entries, but block_out_channels has \(blockOutChannels.count)"
            )
        }
        try AutoencoderBounds.check(layersPerBlock, AutoencoderBounds.layers, "layers_per_block")
        try AutoencoderBounds.check(normGroups, AutoencoderBounds.widths, "norm_num_groups")
        for width in blockOutChannels {
            try AutoencoderBounds.check(width, AutoencoderBounds.widths, "block_out_channels")
            guard width.isMultiple(of: normGroups) else {
                throw ConfigProblem(
                    "block_out_channels holds \(width), which is not divisible by norm_num_groups \(normGroups)")
            }
        }
        try AutoencoderBounds.checkFactors(scaling: scalingFactor, shift: shiftFactor)
    }
}

/// The side of a square, or the sides of a rectangle, of which the first counts.
private struct SideLength: Decodable {
    let value: Int

    init(from decoder: any Decoder) throws {
        if let sides = try? decoder.singleValueContainer().decode([WholeNumber].self), let first = sides.first {
            value = first.value
        } else {
            value = try WholeNumber(from: decoder).value
        }
    }
}
