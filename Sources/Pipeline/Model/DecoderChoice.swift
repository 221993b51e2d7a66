import FoundationEssentials
import Models

extension ModelDirectory {
    /// What turns the model's latents into pictures.
    ///
    /// - Parameter choice: which decoder.
    /// - Returns: nil if the model's own is asked for and there is none.
    /// - Throws: ``ModelError``, ``SafetensorsError`` or ``PipelineError`` when the decoder cannot be used.
    public func decoder(_ choice: DecoderChoice) throws -> DecoderSource? {
        switch choice {
        case .own:
            if let vaeDirectory { return try autoencoder(vaeDirectory) }
            guard [1, 3].contains(latentShape.channels) else { return nil }
            let range = config.valueRange ?? -1...1
            return DecoderSource(pixels: Float(range.lowerBound)...Float(range.upperBound))
        case .tiny:
            guard let tinyDirectory else {
                throw PipelineError.missingInput(
                    "--decoder tiny: \(path) has no vae_tiny; put an AutoencoderTiny there, or give its directory")
            }
            return try autoencoder(tinyDirectory)
        case .directory(let directory):
            guard FileManager.default.fileExists(atPath: "\(directory)/config.json") else {
                throw PipelineError.missingInput(
                    "--decoder \(directory): no config.json there; give tiny, or the directory of an AutoencoderKL or "
                        + "AutoencoderTiny")
            }
            return try autoencoder(directory)
        }
    }

    private func autoencoder(_ directory: String) throws -> DecoderSource {
        try DecoderSource(
            directory: directory, channels: latentShape.channels, network: "\(networkDirectory)/config.json",
            variant: variant)
    }

    /// Says that there is no decoder, and what may be done instead.
    public func needsDecoder(instead: String) -> PipelineError {
        .usage(
            "\(name): latents of \(latentShape.channels) channels need a decoder; put the autoencoder into its folder vae, "
                + "give its directory with --decoder\(instead)")
    }
}

/// Which decoder turns latents into pictures.
public enum DecoderChoice: Equatable, Sendable {
    /// The one that the model comes with: none for pixels, `vae` for latents.
    case own
    /// The small, fast one in the model's `vae_tiny`.
    case tiny
    /// The autoencoder in this directory.
    case directory(String)
}
