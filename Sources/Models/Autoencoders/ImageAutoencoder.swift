import Compute

/// The decoder of an autoencoder: what turns the latents of a diffusion model into an image.
public protocol ImageAutoencoder: Sendable {
    var latentChannels: Int { get }
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
    ///   - archive: the weights of the same directory; the encoder's are not read.
    ///   - engine: what multiplies.
    ///   - progress: called with the share that has been loaded, rising to 1.
    /// - Returns: the decoder.
    /// - Throws: ``ModelError`` when tensors are missing or of other shapes, ``SafetensorsError`` when one cannot be loaded.
    public func load(
        from archive: WeightArchive, engine: any Engine = OpenBLASEngine(), progress: ((Double) -> Void)? = nil
    ) throws -> any ImageAutoencoder {
        switch self {
        case .kl(let config): try AutoencoderKL(config: config, from: archive, engine: engine, progress: progress)
        case .tiny(let config): try AutoencoderTiny(config: config, from: archive, engine: engine, progress: progress)
        }
    }

    /// Reads and validates `config.json` in an autoencoder's directory.
    ///
    /// - Throws: ``ModelError`` that names the file and the key at fault.
    public init(directory: String) throws(ModelError) {
        try self.init(file: JSONFile(path: "\(directory)/config.json"))
    }

    /// Reads and validates a parsed `config.json`, of the class that its `_class_name` names.
    package init(file: JSONFile) throws(ModelError) {
        self = try file.read { fields throws(ConfigProblem) in
            switch try fields.required("_class_name", .text) {
            case "AutoencoderKL": .kl(try AutoencoderKLConfig(fields))
            case "AutoencoderTiny": .tiny(try AutoencoderTinyConfig(fields))
            case "AutoencoderKLTemporalDecoder":
                throw ConfigProblem(
                    "_class_name is AutoencoderKLTemporalDecoder, which is not supported; frames are decoded one by one, by "
                        + "the AutoencoderKL of the same model (vae) or an AutoencoderTiny")
            case let name:
                throw ConfigProblem(
                    "_class_name is \(name); only AutoencoderKL and AutoencoderTiny are supported as decoders")
            }
        }
    }
}

/// The bounds of an autoencoder's sizes: far above every published one, and so low that no product of them overflows.
enum AutoencoderBounds {
    static let levels = 1...8
    static let layers = 1...64
    static let widths = 1...(1 << 13)
    private static let latentChannels = 1...(1 << 10)

    /// Checks the channels of latents and of the image, which must be grey or coloured.
    static func checkChannels(latent: Int, image: Int) throws(ConfigProblem) {
        try ConfigProblem.check(latent, latentChannels, "latent_channels")
        guard image == 1 || image == 3 else {
            throw ConfigProblem("out_channels is \(image); only 1 and 3 are supported")
        }
    }

    /// Checks the numbers that latents are scaled with, as single precision knows them.
    static func checkFactors(scaling: Double, shift: Double) throws(ConfigProblem) {
        guard scaling > 0, Float(scaling) > 0, Float(1 / scaling).isFinite, Float(1 / scaling) > 0 else {
            throw ConfigProblem("scaling_factor is \(scaling), not a positive number")
        }
        guard Float(shift).isFinite else {
            throw ConfigProblem("shift_factor is \(shift), not a finite number")
        }
    }
}

/// One decoding in progress: its threads, and the memory that its steps share.
struct DecodingPass {
    let workers: Workers
    let workspace = ConvolutionWorkspace()
    let pool = FeatureMapPool()

    /// The convolution of `x`, to twice the sides if `upsampled`.
    func convolve(
        _ x: FeatureMap, affine: ChannelAffine? = nil, upsampled: Bool = false, by convolution: Convolution,
        _ output: Convolution.Output = Convolution.Output()
    ) -> FeatureMap {
        let factor = upsampled ? 2 : 1
        let y = pool.take(height: factor * x.height, width: factor * x.width, channels: convolution.outChannels)
        convolution(x, affine: affine, upsampled: upsampled, into: y, output, workspace: workspace, workers: workers)
        return y
    }

    /// The same, and `x` is given back.
    func replace(
        _ x: FeatureMap, affine: ChannelAffine? = nil, upsampled: Bool = false, by convolution: Convolution,
        _ output: Convolution.Output = Convolution.Output()
    ) -> FeatureMap {
        let y = convolve(x, affine: affine, upsampled: upsampled, by: convolution, output)
        pool.giveBack(x)
        return y
    }
}
