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

extension AutoencoderTinyConfig: Decodable {
    private enum CodingKeys: String, CodingKey {
        case latentChannels = "latent_channels"
        case outChannels = "out_channels"
        case widths = "decoder_block_out_channels"
        case blocks = "num_decoder_blocks"
        case activation = "act_fn"
        case upsampling = "upsample_fn"
        case upsamplingFactor = "upsampling_scaling_factor"
        case scalingFactor = "scaling_factor"
        case shiftFactor = "shift_factor"
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
        func numbers(_ key: CodingKeys, _ standard: [Int]) throws -> [Int] {
            try values.decodeIfPresent([WholeNumber].self, forKey: key)?.map(\.value) ?? standard
        }
        func require<Value: Decodable & Equatable>(_ key: CodingKeys, _ supported: Value, _ found: Value?) throws {
            if let found, found != supported {
                throw ConfigProblem("\(key.rawValue) is \(found); only \(supported) is supported")
            }
        }
        try require(.activation, "relu", values.decodeIfPresent(String.self, forKey: .activation))
        try require(.upsampling, "nearest", values.decodeIfPresent(String.self, forKey: .upsampling))
        try require(
            .upsamplingFactor, 2, values.decodeIfPresent(WholeNumber.self, forKey: .upsamplingFactor)?.value)
        latentChannels = try number(.latentChannels, 4)
        outChannels = try number(.outChannels, 3)
        let widths = try numbers(.widths, [64, 64, 64, 64])
        blocks = try numbers(.blocks, [3, 3, 3, 1])
        scalingFactor = try values.decodeIfPresent(Double.self, forKey: .scalingFactor) ?? 1
        shiftFactor = try values.decodeIfPresent(Double.self, forKey: .shiftFactor) ?? 0
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
