import Compute

/// The decoder of an autoencoder: what turns the latents of a diffusion model into an image.
public protocol ImageAutoencoder: Sendable {
    /// The channels of the latents.
    var latentChannels: Int { get }
    /// The channels of the image.
    var imageChannels: Int { get }
    /// The pixels of the image along a side for each pixel of the latents.
    var scale: Int { get }
    /// The weights' share of memory, in bytes.
    var weightBytes: Int { get }

    /// Decodes latents (``latentChannels``, h, w), scaled as the diffusion model leaves them.
    ///
    /// The result depends on the latents alone, not on the number of workers. Scratch memory is allocated as it is
    /// needed, and is gone afterwards.
    ///
    /// - Returns: planes (``imageChannels``, ``scale`` h, ``scale`` w), about -1...1, not clamped.
    func decode(_ latents: Tensor, workers: Workers) -> Tensor
}

/// The configuration of one of the autoencoders that can be decoded with.
public enum AutoencoderConfig: Equatable, Sendable {
    /// diffusers' `AutoencoderKL`: the VAE of Stable Diffusion.
    case kl(AutoencoderKLConfig)
    /// diffusers' `AutoencoderTiny`: TAESD.
    case tiny(AutoencoderTinyConfig)

    /// The channels of the latents.
    public var latentChannels: Int {
        switch self {
        case .kl(let config): config.latentChannels
        case .tiny(let config): config.latentChannels
        }
    }

    /// The pixels of the image along a side for each pixel of the latents.
    public var scale: Int {
        switch self {
        case .kl(let config): config.scale
        case .tiny(let config): config.scale
        }
    }

    /// Loads the weights that belong to it.
    ///
    /// - Parameters:
    ///   - archive: the weights beside the `config.json`; the encoder's are left alone.
    ///   - progress: called with the share that has been loaded, rising to 1.
    /// - Returns: the decoder.
    /// - Throws: ``ModelError`` when tensors are missing or of other shapes, ``SafetensorsError`` when one cannot be loaded.
    public func load(
        from archive: WeightArchive, progress: ((Double) -> Void)? = nil
    ) throws -> any ImageAutoencoder {
        switch self {
        case .kl(let config): try AutoencoderKL(config: config, from: archive, progress: progress)
        case .tiny(let config): try AutoencoderTiny(config: config, from: archive, progress: progress)
        }
    }
}
