import Compute
import Glibc

/// The decoder of a tiny autoencoder, TAESD (https://github.com/madebyollin/taesd): the fast approximation of a VAE,
/// for previews.
public struct AutoencoderTiny: ImageAutoencoder {
    public let config: AutoencoderTinyConfig
    public let weightBytes: Int

    private let decoder: Decoder

    /// Three convolutions, added to what went in; ReLU after each and after the addition.
    struct Residual: Sendable {
        let convolutions: [Convolution]

        static func declared(_ width: Int) -> Declared<Residual> {
            Declared(.list([0, 2, 4].map { .convolution("conv.\($0)", width, to: width) })) {
                Residual(convolutions: $0)
            }
        }
    }

    /// The residual blocks of one resolution, and the convolution after the upsampling to the next, or to the image.
    struct Level: Sendable {
        let residuals: [Residual]
        let output: Convolution
    }

    /// All that is loaded, by the names of diffusers: the numbers of modules in a sequence in which activations and
    /// upsamplings count too.
    struct Decoder: Sendable {
        let input: Convolution
        let levels: [Level]

        static func declared(_ c: AutoencoderTinyConfig) -> Declared<Decoder> {
            // The first convolution and its activation come before.
            var module = 2
            func name(_ index: Int) -> String { "decoder.layers.\(index)" }
            let levels = c.blocks.enumerated().map { index, count in
                let isLast = index + 1 == c.blocks.count
                let residuals = (module..<module + count).map { Residual.declared(c.width).inside(name($0)) }
                // All but the last level have an upsampling before the convolution.
                module += count + (isLast ? 0 : 1)
                defer { module += 1 }
                return Declared<Level>(
                    .list(residuals),
                    .convolution(name(module), c.width, to: isLast ? c.outChannels : c.width, hasBias: isLast)
                ) { Level(residuals: $0, output: $1) }
            }
            return Declared(.convolution(name(0), c.latentChannels, to: c.width), .list(levels)) {
                Decoder(input: $0, levels: $1)
            }
        }
    }

    public var latentChannels: Int { config.latentChannels }
    public var imageChannels: Int { config.outChannels }
    public var scale: Int { config.scale }

    /// Loads the decoder's weights; names and shapes are all checked before the first tensor is read.
    ///
    /// - Throws: ``ModelError`` when tensors are missing or of other shapes, ``SafetensorsError`` when one cannot be loaded.
    public init(
        config: AutoencoderTinyConfig, from archive: WeightArchive, engine: any Engine = OpenBLASEngine(),
        progress: ((Double) -> Void)? = nil
    ) throws {
        let declared = Decoder.declared(config)
        self.config = config
        weightBytes = declared.parameterCount * MemoryLayout<Float>.size
        decoder = try declared.load(
            from: archive, engine: engine,
            sizes: "decoder_block_out_channels \(config.width), num_decoder_blocks \(config.blocks), "
                + "latent_channels \(config.latentChannels), out_channels \(config.outChannels)",
            of: "the decoder that config.json describes", isPart: { $0.hasPrefix("decoder.") }, progress: progress)
    }

    public func decode(_ latents: Tensor, workers: Workers) -> Tensor {
        precondition(latents.shape.count == 3 && latents.shape[0] == latentChannels, "latents of \(latents.shape)")
        let pass = DecodingPass(workers: workers)
        let (factor, shift) = (Float(1 / config.scalingFactor), Float(config.shiftFactor))
        let rectified = Convolution.Output(isRectified: true)
        // Latents fade into ±3 instead of being cut off there.
        var x = FeatureMap(planes: latents) { tanhf(($0 * factor + shift) / 3) * 3 }
        x = pass.replace(x, by: decoder.input, rectified)
        for (index, level) in decoder.levels.enumerated() {
            for residual in level.residuals {
                let first = pass.convolve(x, by: residual.convolutions[0], rectified)
                let second = pass.replace(first, by: residual.convolutions[1], rectified)
                residual.convolutions[2](
                    second, into: x, Convolution.Output(isAdded: true, isRectified: true), workspace: pass.workspace,
                    workers: workers)
                pass.pool.giveBack(second)
            }
            x = pass.replace(x, upsampled: index + 1 < decoder.levels.count, by: level.output)
        }
        // The network's images are in 0...1.
        return x.planes { $0 * 2 - 1 }
    }
}

/// The sizes and conventions of the decoder of a tiny autoencoder, TAESD (https://github.com/madebyollin/taesd), from
/// the `config.json` that diffusers writes, with the defaults of its class.
///
/// Source: https://github.com/huggingface/diffusers, models/autoencoders/autoencoder_tiny.py, version 0.42.1. What
/// concerns only the encoder, or storing latents as bytes, is not read.
public struct AutoencoderTinyConfig: Equatable, Sendable {
    public let latentChannels: Int
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
        try ConfigProblem.check(blocks.count, AutoencoderBounds.levels, "the number of num_decoder_blocks")
        guard widths.count == blocks.count else {
            throw ConfigProblem(
                "decoder_block_out_channels has \(widths.count) entries, but num_decoder_blocks has \(blocks.count)")
        }
        // diffusers makes levels of other widths, but they cannot be run: nothing changes the width between levels.
        guard widths.allSatisfy({ $0 == width }) else {
            throw ConfigProblem("decoder_block_out_channels is \(widths); only equal widths are supported")
        }
        try ConfigProblem.check(width, AutoencoderBounds.widths, "decoder_block_out_channels")
        for count in blocks {
            try ConfigProblem.check(count, 0...AutoencoderBounds.layers.upperBound, "num_decoder_blocks")
        }
        try AutoencoderBounds.checkFactors(scaling: scalingFactor, shift: shiftFactor)
    }
}
