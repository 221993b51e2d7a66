import Compute
import Glibc

/// The decoder of a tiny autoencoder, TAESD (https://github.com/madebyollin/taesd): the fast approximation of a VAE,
/// for previews.
public struct AutoencoderTiny: ImageAutoencoder {
    /// The sizes.
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
        config: AutoencoderTinyConfig, from archive: WeightArchive, progress: ((Double) -> Void)? = nil
    ) throws {
        let declared = Decoder.declared(config)
        self.config = config
        weightBytes = declared.parameterCount * MemoryLayout<Float>.size
        decoder = try declared.load(
            from: archive,
            sizes: "decoder_block_out_channels \(config.width), num_decoder_blocks \(config.blocks), "
                + "latent_channels \(config.latentChannels), out_channels \(config.outChannels)",
            of: "the decoder that config.json describes", isPart: { $0.hasPrefix("decoder.") }, progress: progress)
    }

    public func decode(_ latents: Tensor, workers: Workers) -> Tensor {
        precondition(latents.shape.count == 3 && latents.shape[0] == latentChannels, "latents of \(latents.shape)")
        let workspace = ConvolutionWorkspace()
        let pool = FeatureMapPool()
        let (factor, shift) = (Float(1 / config.scalingFactor), Float(config.shiftFactor))
        let rectified = Convolution.Output(isRectified: true)
        /// Whether maps double their sides on the way into the convolution, and what becomes of the sums.
        func convolve(
            _ x: FeatureMap, by convolution: Convolution, upsampled: Bool = false,
            _ output: Convolution.Output = Convolution.Output()
        ) -> FeatureMap {
            let sides = upsampled ? 2 : 1
            let y = pool.take(height: sides * x.height, width: sides * x.width, channels: convolution.outChannels)
            convolution(x, upsampled: upsampled, into: y, output, workspace: workspace, workers: workers)
            return y
        }
        // Latents fade into ±3 instead of being cut off there.
        var x = FeatureMap(planes: latents) { tanhf(($0 * factor + shift) / 3) * 3 }
        x = convolve(x, by: decoder.input, rectified)
        for (index, level) in decoder.levels.enumerated() {
            for residual in level.residuals {
                let first = convolve(x, by: residual.convolutions[0], rectified)
                let second = convolve(first, by: residual.convolutions[1], rectified)
                residual.convolutions[2](
                    second, into: x, Convolution.Output(isAdded: true, isRectified: true), workspace: workspace,
                    workers: workers)
                pool.giveBack(first)
                pool.giveBack(second)
            }
            let y = convolve(x, by: level.output, upsampled: index + 1 < decoder.levels.count)
            pool.giveBack(x)
            x = y
        }
        // The network's images lie in 0...1.
        return x.planes { $0 * 2 - 1 }
    }
}
