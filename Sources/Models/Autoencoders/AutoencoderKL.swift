import Compute

/// The decoder of a KL-regularised autoencoder, the VAE of Stable Diffusion.
///
/// It decodes the whole map at once: group norms and the attention see all of it, so there are no tiles and no seams.
/// What bounds the memory is that maps are used again, that nothing is stored upsampled or normalised, and that a
/// convolution's scratch memory is that of one band. At the widths of Stable Diffusion (128, 256, 512, 512) an image of
/// H x W pixels takes 2 kB a pixel, 134 MB at 256 x 256 and 537 MB at 512 x 512, and at most 130 MB on top of that.
public struct AutoencoderKL: ImageAutoencoder {
    public let config: AutoencoderKLConfig
    public let weightBytes: Int

    private let decoder: Decoder

    /// x + conv2(silu(norm2(conv1(silu(norm1(x)))))), x with a convolution of one tap where the widths differ.
    struct Residual: Sendable {
        let norm1: GroupNorm
        let convolution1: Convolution
        let norm2: GroupNorm
        let convolution2: Convolution
        let shortcut: PointwiseConvolution?

        static func declared(_ inputs: Int, to outputs: Int, _ c: AutoencoderKLConfig) -> Declared<Residual> {
            Declared(
                .norm("norm1", inputs, groups: c.normGroups, epsilon: AutoencoderKLConfig.normEpsilon),
                .convolution("conv1", inputs, to: outputs),
                .norm("norm2", outputs, groups: c.normGroups, epsilon: AutoencoderKLConfig.normEpsilon),
                .convolution("conv2", outputs, to: outputs),
                .optional(.pointwise("conv_shortcut", inputs, to: outputs), if: inputs != outputs)
            ) { Residual(norm1: $0, convolution1: $1, norm2: $2, convolution2: $3, shortcut: $4) }
        }
    }

    /// Attention of one head over the pixels, added to what went in.
    struct Attention: Sendable {
        let norm: GroupNorm
        let query, key, value, out: PointwiseConvolution

        static func declared(_ width: Int, _ c: AutoencoderKLConfig) -> Declared<Attention> {
            Declared(
                .norm("group_norm", width, groups: c.normGroups, epsilon: AutoencoderKLConfig.normEpsilon),
                .pointwise("to_q", width, to: width),
                .pointwise("to_k", width, to: width),
                .pointwise("to_v", width, to: width),
                .pointwise("to_out.0", width, to: width)
            ) { Attention(norm: $0, query: $1, key: $2, value: $3, out: $4) }
        }

        /// The names of checkpoints from before diffusers 0.18.
        static let oldKeys = KeyTable([
            "\(module).to_q": ["\(module).query"], "\(module).to_k": ["\(module).key"],
            "\(module).to_v": ["\(module).value"], "\(module).to_out.0": ["\(module).proj_attn"],
        ])
        static let module = "decoder.mid_block.attentions.0"
    }

    /// The residual blocks of one resolution, and the convolution after the upsampling to the next.
    struct Level: Sendable {
        let residuals: [Residual]
        let upsampling: Convolution?

        static func declared(_ inputs: Int, to width: Int, isLast: Bool, _ c: AutoencoderKLConfig) -> Declared<Level> {
            Declared(
                .list(
                    (0...c.layersPerBlock).map {
                        Residual.declared($0 == 0 ? inputs : width, to: width, c).inside("resnets.\($0)")
                    }),
                .optional(.convolution("upsamplers.0.conv", width, to: width), if: !isLast)
            ) { Level(residuals: $0, upsampling: $1) }
        }
    }

    struct Decoder: Sendable {
        let postQuant: PointwiseConvolution?
        let input: Convolution
        let middle: [Residual]
        let attention: Attention?
        let levels: [Level]
        let norm: GroupNorm
        let output: Convolution

        static func declared(_ c: AutoencoderKLConfig) -> Declared<Decoder> {
            let widths = Array(c.blockOutChannels.reversed())
            let (deepest, shallowest) = (widths[0], widths[widths.count - 1])
            return Declared(
                .optional(
                    .pointwise("post_quant_conv", c.latentChannels, to: c.latentChannels),
                    if: c.usesPostQuantConvolution),
                .convolution("decoder.conv_in", c.latentChannels, to: deepest),
                .list(
                    (0..<2).map { Residual.declared(deepest, to: deepest, c).inside("decoder.mid_block.resnets.\($0)") }
                ),
                .optional(Attention.declared(deepest, c).inside(Attention.module), if: c.hasMidBlockAttention),
                .list(
                    widths.indices.map {
                        Level.declared(widths[max(0, $0 - 1)], to: widths[$0], isLast: $0 + 1 == widths.count, c)
                            .inside("decoder.up_blocks.\($0)")
                    }),
                .norm(
                    "decoder.conv_norm_out", shallowest, groups: c.normGroups, epsilon: AutoencoderKLConfig.normEpsilon),
                .convolution("decoder.conv_out", shallowest, to: c.outChannels)
            ) {
                Decoder(postQuant: $0, input: $1, middle: $2, attention: $3, levels: $4, norm: $5, output: $6)
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
        config: AutoencoderKLConfig, from archive: WeightArchive, engine: any Engine = OpenBLASEngine(),
        progress: ((Double) -> Void)? = nil
    ) throws {
        let declared = Decoder.declared(config)
        self.config = config
        weightBytes = declared.parameterCount * MemoryLayout<Float>.size
        decoder = try declared.load(
            from: archive,
            keys: archive.entry("\(Attention.module).query.weight") == nil ? KeyTable([:]) : Attention.oldKeys,
            engine: engine,
            sizes: "block_out_channels \(config.blockOutChannels), latent_channels \(config.latentChannels), "
                + "out_channels \(config.outChannels)",
            of: "the decoder that config.json describes", isPart: { $0.hasPrefix("decoder.") }, progress: progress)
    }

    public func decode(_ latents: Tensor, workers: Workers) -> Tensor {
        precondition(latents.shape.count == 3 && latents.shape[0] == latentChannels, "latents of \(latents.shape)")
        let pass = DecodingPass(workers: workers)
        let (factor, shift) = (Float(1 / config.scalingFactor), Float(config.shiftFactor))
        var x = FeatureMap(planes: latents) { $0 * factor + shift }
        if let postQuant = decoder.postQuant { x = pass.map(x, by: postQuant) }
        x = pass.replace(x, by: decoder.input)
        x = pass.residual(x, decoder.middle[0])
        if let attention = decoder.attention { pass.attend(x, attention) }
        x = pass.residual(x, decoder.middle[1])
        for level in decoder.levels {
            for residual in level.residuals { x = pass.residual(x, residual) }
            if let upsampling = level.upsampling { x = pass.replace(x, upsampled: true, by: upsampling) }
        }
        x = pass.replace(x, affine: decoder.norm.affine(for: x, silu: true, workers: workers), by: decoder.output)
        return x.planes()
    }
}

/// The steps of an ``AutoencoderKL``, each from a map to another, or in place.
extension DecodingPass {
    /// The 1 x 1 convolution of `x`, whose memory is given back.
    fileprivate func map(_ x: FeatureMap, by convolution: PointwiseConvolution) -> FeatureMap {
        let y = pool.take(height: x.height, width: x.width, channels: convolution.outChannels)
        convolution(x, into: y, workers: workers)
        pool.giveBack(x)
        return y
    }

    /// The residual block, written to `x` or to the shortcut's map.
    fileprivate func residual(_ x: FeatureMap, _ block: AutoencoderKL.Residual) -> FeatureMap {
        let hidden = pool.take(height: x.height, width: x.width, channels: block.convolution1.outChannels)
        let first = block.norm1.affine(for: x, silu: true, workers: workers)
        block.convolution1(x, affine: first, into: hidden, workspace: workspace, workers: workers)
        let sum = block.shortcut.map { map(x, by: $0) } ?? x
        let second = block.norm2.affine(for: hidden, silu: true, workers: workers)
        block.convolution2(
            hidden, affine: second, into: sum, Convolution.Output(isAdded: true), workspace: workspace,
            workers: workers)
        pool.giveBack(hidden)
        return sum
    }

    /// Adds the attention over the pixels of x to x.
    fileprivate func attend(_ x: FeatureMap, _ block: AutoencoderKL.Attention) {
        let (tokens, width) = (x.pixels, x.stride)
        let normed = pool.take(height: x.height, width: x.width, channels: x.channels)
        block.norm.affine(for: x, silu: false, workers: workers)(x, into: normed, workers: workers)
        let qkv = Tensor(uninitialized: [tokens, 3 * width])
        for (part, layer) in [block.query, block.key, block.value].enumerated() {
            layer(normed, into: qkv.pointer + part * width, distance: 3 * width, workers: workers)
        }
        let attention = Attention(
            tokens: tokens, heads: 1, headDimension: width, scale: 1 / Float(x.channels).squareRoot(),
            engine: block.query.engine, workers: workers)
        workers.run(tasks: attention.taskCount) { worker, task in
            attention.run(task: task, worker: worker, qkv: qkv.pointer, into: normed.values.pointer)
        }
        withExtendedLifetime(qkv) {}
        block.out(normed, into: x, isAdded: true, workers: workers)
        pool.giveBack(normed)
    }
}
