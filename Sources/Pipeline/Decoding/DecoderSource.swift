import Compute
import FoundationEssentials
import Media
import Models

/// A decoder that has been found and checked, but not loaded.
public struct DecoderSource: Sendable {
    private enum Kind: Sendable {
        case pixels(ClosedRange<Float>)
        case autoencoder(AutoencoderConfig, directory: String, archive: WeightArchive)
    }

    private let kind: Kind

    /// Pixels, which need no decoding.
    init(pixels range: ClosedRange<Float>) {
        kind = .pixels(range)
    }

    /// The autoencoder in `directory`, for latents of `channels` channels, with the given variant of its weights if they
    /// have it.
    ///
    /// - Throws: ``ModelError``, ``SafetensorsError`` or ``PipelineError`` when it cannot be used or does not fit.
    init(directory: String, channels: Int, network: String, variant: String?) throws {
        kind = .autoencoder(
            try Self.config(directory: directory, channels: channels, network: network), directory: directory,
            archive: try WeightArchive(directory: directory, variant: variant))
    }

    /// The configuration of the autoencoder in `directory`, which must be for latents of `channels` channels, as those
    /// of the network with its `config.json` at `network` are.
    static func config(directory: String, channels: Int, network: String) throws -> AutoencoderConfig {
        let config = try AutoencoderConfig(directory: directory)
        guard config.latentChannels == channels else {
            throw PipelineError.badData(
                "\(directory)/config.json: latent_channels is \(config.latentChannels), but in_channels in \(network) is "
                    + "\(channels); decoder and network must be of one model")
        }
        return config
    }

    /// The pixels of a picture along a side for each pixel of the latents.
    public var scale: Int {
        switch kind {
        case .pixels: 1
        case .autoencoder(let config, _, _): config.scale
        }
    }

    /// Its directory; nil for pixels.
    public var directory: String? {
        switch kind {
        case .pixels: nil
        case .autoencoder(_, let directory, _): directory
        }
    }

    /// What ties images to the decoder, nil for pixels; reads the weights the first time.
    public func reference() throws(PipelineError) -> ImageRecord.Decoder? {
        guard case .autoencoder(let config, let directory, let archive) = kind else { return nil }
        let text = try InputFile.read("\(directory)/config.json")
        return ImageRecord.Decoder(
            name: config.className, hash: SHA256.hexadecimal(text + ModelHash.of(archive.files).utf8))
    }

    /// Loads the decoder.
    ///
    /// - Parameters:
    ///   - workers: the threads to decode with.
    ///   - engine: what multiplies.
    ///   - progress: called with the share that has been loaded, from 0 to 1.
    /// - Returns: the decoder.
    /// - Throws: ``ModelError``, ``SafetensorsError``, or ``MachineError`` where there is no OpenBLAS.
    public func load(
        workers: Workers, engine: any Engine = OpenBLASEngine(), progress: ((Double) -> Void)? = nil
    ) throws -> any LatentDecoder {
        switch kind {
        case .pixels(let range):
            return PixelDecoder(range: range)
        case .autoencoder(let config, _, let archive):
            try BLAS.open()
            return AutoencoderDecoder(
                try config.load(from: archive, engine: engine, progress: progress), workers: workers)
        }
    }

    /// The scratch memory of decoding latents of `shape`, frame by frame, in bytes: for an autoencoder, 2 kB a pixel and
    /// 100 MB.
    public func scratchBytes(_ shape: LatentShape) -> Int {
        switch kind {
        case .pixels: 0
        case .autoencoder: shape.height * scale * shape.width * scale * 2048 + 100_000_000
        }
    }

    /// Checks that a grid of pictures of latents of `shape`, `count` of them in rows of `columns`, can be held in memory:
    /// a clip of several clips, the frames of a single one side by side.
    ///
    /// - Throws: `ImageError` that says how large a grid may be.
    public func check(_ shape: LatentShape, count: Int, columns: Int, padding: Int) throws(ImageError) {
        try ImageGrid.check(
            width: shape.width * scale, height: shape.height * scale, frames: count == 1 ? 1 : shape.frames,
            count: count == 1 ? shape.frames : count, columns: columns, padding: padding)
    }
}

extension AutoencoderConfig {
    fileprivate var className: String {
        switch self {
        case .kl: "AutoencoderKL"
        case .tiny: "AutoencoderTiny"
        }
    }
}
