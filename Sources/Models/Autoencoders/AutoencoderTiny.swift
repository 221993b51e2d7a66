import Glibc
import Tensor

/// The decoder of a tiny autoencoder, TAESD (https://github.com/madebyollin/taesd): the fast approximation of a VAE,
/// for previews.
public struct AutoencoderTiny: ImageAutoencoder {
    /// Three convolutions, added to what went in; ReLU after each and after the addition.
    struct Residual: Sendable {
        let convolutions: [Convolution]
    }

    /// The residual blocks of one resolution, and the convolution after the upsampling to the next, or to the image.
    struct Level: Sendable {
        let residuals: [Residual]
        let output: Convolution
    }

    /// The sizes.
    public let config: AutoencoderTinyConfig
    public let weightBytes: Int

    let input: Convolution
    let levels: [Level]

    public var latentChannels: Int { config.latentChannels }
    public var imageChannels: Int { config.outChannels }
    public var scale: Int { config.scale }

    /// Loads the decoder's weights; names and shapes are all checked before the first tensor is read.
    ///
    /// - Throws: ``ModelError`` when tensors are missing or of other shapes, ``SafetensorsError`` when one cannot be loaded.
    public init(
        config: AutoencoderTinyConfig, from archive: WeightArchive, progress: ((Double) -> Void)? = nil
    ) throws {
        let map = AutoencoderTinyMap(config: config)
        var loader = try AutoencoderLoader(
            archive: archive, sources: map.sources,
            sizes: "decoder_block_out_channels \(config.width), num_decoder_blocks \(config.blocks), "
                + "latent_channels \(config.latentChannels), out_channels \(config.outChannels)", progress: progress)
        self.config = config
        input = try loader.convolution(map.input)
        levels = try map.levels.map { level in
            Level(
                residuals: try level.residuals.map { residual in
                    Residual(convolutions: try residual.map { try loader.convolution($0) })
                },
                output: try loader.convolution(level.output))
        }
        weightBytes = loader.bytes
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
        x = convolve(x, by: input, rectified)
        for (index, level) in levels.enumerated() {
            for residual in level.residuals {
                let first = convolve(x, by: residual.convolutions[0], rectified)
                let second = convolve(first, by: residual.convolutions[1], rectified)
                residual.convolutions[2](
                    second, into: x, Convolution.Output(isAdded: true, isRectified: true), workspace: workspace,
                    workers: workers)
                pool.giveBack(first)
                pool.giveBack(second)
            }
            let y = convolve(x, by: level.output, upsampled: index + 1 < levels.count)
            pool.giveBack(x)
            x = y
        }
        // The network's images lie in 0...1.
        return x.planes { $0 * 2 - 1 }
    }
}

/// Every tensor of the decoder of an `AutoencoderTiny`, by the names of diffusers: the numbers of modules in a sequence
/// in which activations and upsamplings count too.
struct AutoencoderTinyMap {
    /// One resolution.
    struct Level {
        let residuals: [[ConvolutionSource]]
        let output: ConvolutionSource
    }

    let input: ConvolutionSource
    let levels: [Level]

    /// Lists the tensors.
    init(config: AutoencoderTinyConfig) {
        let width = config.width
        input = ConvolutionSource(name: "decoder.layers.0", outputs: width, inputs: config.latentChannels, side: 3)
        var levels: [Level] = []
        // The first convolution and its activation come before.
        var module = 2
        for (index, count) in config.blocks.enumerated() {
            let isLast = index + 1 == config.blocks.count
            let residuals = (0..<count).map { block in
                [0, 2, 4].map {
                    ConvolutionSource(
                        name: "decoder.layers.\(module + block).conv.\($0)", outputs: width, inputs: width, side: 3)
                }
            }
            // All but the last level have an upsampling before the convolution.
            module += count + (isLast ? 0 : 1)
            let output = ConvolutionSource(
                name: "decoder.layers.\(module)", outputs: isLast ? config.outChannels : width, inputs: width, side: 3,
                hasBias: isLast)
            module += 1
            levels.append(Level(residuals: residuals, output: output))
        }
        self.levels = levels
    }

    /// All parts.
    var sources: [any AutoencoderSource] {
        [input] + levels.flatMap { $0.residuals.flatMap { $0 } + [$0.output] }
    }
}
