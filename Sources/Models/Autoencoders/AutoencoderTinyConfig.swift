/// The sizes and conventions of the decoder of a tiny autoencoder, TAESD (https://github.com/madebyollin/taesd), from
/// the `config.json` that diffusers writes, with the defaults of its class.
///
/// Source: https://github.com/huggingface/diffusers, models/autoencoders/autoencoder_tiny.py, version 0.42.1. What
/// concerns only the encoder, or storing latents as bytes, is not read.
public struct AutoencoderTinyConfig: Equatable, Sendable {
    /// The channels of the latents.
    public let latentChannels: Int
    /// The channels of the image.
    public let outChannels: Int
    /// The width of every level.
    public let width: Int
    /// The residual blocks of each level, from the latents' resolution up to the image's.
    public let blocks: [Int]
    /// What latents were multiplied by after ``shiftFactor`` was taken away.
    public let scalingFactor: Double
    /// What was taken away from latents.
    public let shiftFactor: Double

    /// The pixels of the image along a side for each pixel of the latents.
    public var scale: Int { 1 << (blocks.count - 1) }
}

extension AutoencoderTinyConfig {
    /// Reads and validates. An explicit null is None in diffusers: no shift, and an error for everything else.
    ///
    /// - Throws: ``ConfigProblem`` where a value is of another type, not supported or out of bounds.
    init(_ fields: ConfigFields) throws(ConfigProblem) {
        try fields.require("act_fn", .text, "relu")
        try fields.require("upsample_fn", .text, "nearest")
        try fields.require("upsampling_scaling_factor", .whole, 2)
        latentChannels = try fields.value("latent_channels", .whole, default: 4)
        outChannels = try fields.value("out_channels", .whole, default: 3)
        let widths = try fields.value("decoder_block_out_channels", .list(of: .whole), default: [64, 64, 64, 64])
        blocks = try fields.value("num_decoder_blocks", .list(of: .whole), default: [3, 3, 3, 1])
        scalingFactor = try fields.value("scaling_factor", .number, default: 1)
        shiftFactor = try fields.optional("shift_factor", .number) ?? 0
        width = widths.first ?? 0
        try validate(widths: widths)
    }

    private func validate(widths: [Int]) throws(ConfigProblem) {
        try AutoencoderBounds.checkChannels(latent: latentChannels, image: outChannels)
        try AutoencoderBounds.check(blocks.count, AutoencoderBounds.levels, "the number of num_decoder_blocks")
        guard widths.count == blocks.count else {
            throw ConfigProblem(
                "decoder_block_out_channels has \(widths.count) entries, but num_decoder_blocks has \(blocks.count)")
        }
        // diffusers makes levels of other widths, but they cannot be run: nothing changes the width between levels.
        guard widths.allSatisfy({ $0 == width }) else {
            throw ConfigProblem("decoder_block_out_channels is \(widths); only equal widths are supported")
        }
        try AutoencoderBounds.check(width, AutoencoderBounds.widths, "decoder_block_out_channels")
        for count in blocks {
            try AutoencoderBounds.check(count, 0...AutoencoderBounds.layers.upperBound, "num_decoder_blocks")
        }
        try AutoencoderBounds.checkFactors(scaling: scalingFactor, shift: shiftFactor)
    }
}
