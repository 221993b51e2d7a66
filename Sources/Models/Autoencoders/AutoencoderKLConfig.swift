/// The sizes and conventions of the decoder of a KL-regularised autoencoder, the VAE of Stable Diffusion (Rombach et
/// al., arXiv 2112.10752), from the `config.json` that diffusers writes, with the defaults of its class.
///
/// Source: https://github.com/huggingface/diffusers, models/autoencoders/autoencoder_kl.py, version 0.42.1. What
/// concerns only the encoder is not read.
public struct AutoencoderKLConfig: Equatable, Sendable {
    public let latentChannels: Int
    public let outChannels: Int
    /// The width of each level, from the image's resolution down to the latents'.
    public let blockOutChannels: [Int]
    /// The residual blocks of a level of the encoder; the decoder has one more.
    public let layersPerBlock: Int
    public let normGroups: Int
    /// What latents were multiplied by after ``shiftFactor`` was taken away.
    public let scalingFactor: Double
    /// What was taken away from latents.
    public let shiftFactor: Double
    /// The side of the images of the training; it says nothing about what can be decoded.
    public let sampleSize: Int
    /// Whether a convolution of one tap comes before the decoder.
    public let usesPostQuantConvolution: Bool
    /// Whether there is an attention between the two middle blocks.
    public let hasMidBlockAttention: Bool

    /// What every group norm adds to the variance.
    static let normEpsilon = 1e-6

    /// The pixels of the image along a side for each pixel of the latents.
    public var scale: Int { 1 << (blockOutChannels.count - 1) }
}

extension AutoencoderKLConfig {
    /// Reads and validates. An explicit null is None in diffusers: none for the shift and the latents' statistics, false
    /// for a flag, and an error for everything else.
    ///
    /// - Throws: ``ConfigProblem`` where a value is of another type, not supported or out of bounds.
    init(_ fields: ConfigFields) throws(ConfigProblem) {
        latentChannels = try fields.value("latent_channels", .whole, default: 4)
        outChannels = try fields.value("out_channels", .whole, default: 3)
        blockOutChannels = try fields.value("block_out_channels", .list(of: .whole), default: [64])
        layersPerBlock = try fields.value("layers_per_block", .whole, default: 1)
        normGroups = try fields.value("norm_num_groups", .whole, default: 32)
        scalingFactor = try fields.value("scaling_factor", .number, default: 0.18215)
        shiftFactor = try fields.optional("shift_factor", .number) ?? 0
        sampleSize = try fields.value("sample_size", .side, default: 32)
        usesPostQuantConvolution = try fields.flag("use_post_quant_conv", true)
        hasMidBlockAttention = try fields.flag("mid_block_add_attention", true)
        for key in ["latents_mean", "latents_std"] where fields.file[key] != nil {
            throw ConfigProblem("\(key) is given; only null is supported")
        }
        try validate(
            upBlockTypes: fields.value("up_block_types", .list(of: .text), default: ["UpDecoderBlock2D"]),
            activation: fields.value("act_fn", .text, default: "silu"))
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
        try ConfigProblem.check(
            blockOutChannels.count, AutoencoderBounds.levels, "the number of block_out_channels")
        guard upBlockTypes.count == blockOutChannels.count else {
            throw ConfigProblem(
                "up_block_types has \(upBlockTypes.count) entries, but block_out_channels has \(blockOutChannels.count)"
            )
        }
        try ConfigProblem.check(layersPerBlock, AutoencoderBounds.layers, "layers_per_block")
        try ConfigProblem.check(normGroups, AutoencoderBounds.widths, "norm_num_groups")
        for width in blockOutChannels {
            try ConfigProblem.check(width, AutoencoderBounds.widths, "block_out_channels")
            guard width.isMultiple(of: normGroups) else {
                throw ConfigProblem(
                    "block_out_channels holds \(width), which is not divisible by norm_num_groups \(normGroups)")
            }
        }
        try AutoencoderBounds.checkFactors(scaling: scalingFactor, shift: shiftFactor)
    }
}
