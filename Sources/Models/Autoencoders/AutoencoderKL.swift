import Tensor

/// The decoder of a KL-regularised autoencoder, the VAE of Stable Diffusion.
///
/// It decodes the whole map at once: group norms and the attention see all of it, so there are no tiles and no seams.
/// What bounds the memory is that maps are used again, that nothing is stored upsampled or normalised, and that a
/// convolution's scratch memory is that of one band. At the widths of Stable Diffusion (128, 256, 512, 512) an image of
/// H x W pixels takes 2 kB a pixel, 134 MB at 256 x 256 and 537 MB at 512 x 512, and at most 130 MB on top of that.
public struct AutoencoderKL: ImageAutoencoder {
    /// Group norm, SiLU and convolution, twice, added to what went in.
    struct Residual: Sendable {
        let norm1: GroupNorm
        let convolution1: Convolution
        let norm2: GroupNorm
        let convolution2: Convolution
        let shortcut: PointwiseConvolution?
    }

    /// Attention of one head over the pixels, added to what went in.
    struct Attention: Sendable {
        let norm: GroupNorm
        let query, key, value, out: PointwiseConvolution
    }

    /// The residual blocks of one resolution.
    struct Level: Sendable {
        let residuals: [Residual]
        let upsampling: Convolution?
    }

    /// The sizes.
    public let config: AutoencoderKLConfig
    public let weightBytes: Int

    let postQuant: PointwiseConvolution?
    let input: Convolution
    let middle: [Residual]
    let attention: Attention?
    let levels: [Level]
    let norm: GroupNorm
    let output: Convolution

    public var latentChannels: Int { config.latentChannels }
    public var imageChannels: Int { config.outChannels }
    public var scale: Int { config.scale }

    /// Loads the decoder's weights; names and shapes are all checked before the first tensor is read.
    ///
    /// - Throws: ``ModelError`` when tensors are missing or of other shapes, ``SafetensorsError`` when one cannot be loaded.
    public init(
        config: AutoencoderKLConfig, from archive: WeightArchive, progress: ((Double) -> Void)? = nil
    ) throws {
        let map = AutoencoderKLMap(config: config, names: archive.names)
        var loader = try AutoencoderLoader(
            archive: archive, sources: map.sources,
            sizes: "block_out_channels \(config.blockOutChannels), latent_channels \(config.latentChannels), "
                + "out_channels \(config.outChannels)", progress: progress)
        self.config = config
        postQuant = try map.postQuant.map { try loader.pointwise($0) }
        input = try loader.convolution(map.input)
        middle = try map.middle.map { try loader.residual($0, groups: config.normGroups) }
        attention = try map.attention.map { try loader.attention($0, groups: config.normGroups) }
        levels = try map.levels.map { level in
            Level(
                residuals: try level.residuals.map { try loader.residual($0, groups: config.normGroups) },
                upsampling: try level.upsampling.map { try loader.convolution($0) })
        }
        norm = try loader.norm(map.norm, groups: config.normGroups)
        output = try loader.convolution(map.output)
        weightBytes = loader.bytes
    }

    public func decode(_ latents: Tensor, workers: Workers) -> Tensor {
        precondition(latents.shape.count == 3 && latents.shape[0] == latentChannels, "latents of \(latents.shape)")
        let pass = AutoencoderKLPass(workers: workers)
        let (factor, shift) = (Float(1 / config.scalingFactor), Float(config.shiftFactor))
        var x = FeatureMap(planes: latents) { $0 * factor + shift }
        if let postQuant { x = pass.map(x, by: postQuant) }
        x = pass.convolve(x, by: input)
        x = pass.residual(x, middle[0])
        if let attention { pass.attend(x, attention) }
        x = pass.residual(x, middle[1])
        for level in levels {
            for residual in level.residuals { x = pass.residual(x, residual) }
            if let upsampling = level.upsampling { x = pass.convolve(x, upsampled: true, by: upsampling) }
        }
        x = pass.convolve(x, affine: norm.affine(for: x, silu: true, workers: workers), by: output)
        return x.planes()
    }
}

extension AutoencoderLoader {
    fileprivate mutating func residual(
        _ source: AutoencoderKLMap.Residual, groups: Int
    ) throws(SafetensorsError) -> AutoencoderKL.Residual {
        let norm1 = try norm(source.norm1, groups: groups)
        let convolution1 = try convolution(source.convolution1)
        let norm2 = try norm(source.norm2, groups: groups)
        let convolution2 = try convolution(source.convolution2)
        var shortcut: PointwiseConvolution?
        if let source = source.shortcut { shortcut = try pointwise(source) }
        return AutoencoderKL.Residual(
            norm1: norm1, convolution1: convolution1, norm2: norm2, convolution2: convolution2, shortcut: shortcut)
    }

    fileprivate mutating func attention(
        _ source: AutoencoderKLMap.Attention, groups: Int
    ) throws(SafetensorsError) -> AutoencoderKL.Attention {
        AutoencoderKL.Attention(
            norm: try norm(source.norm, groups: groups), query: try pointwise(source.query),
            key: try pointwise(source.key), value: try pointwise(source.value), out: try pointwise(source.out))
    }
}
