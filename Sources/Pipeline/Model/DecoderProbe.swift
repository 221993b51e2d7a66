import Models

/// What the configuration of a decoder says of the latents that it decodes; the decoder itself is not opened.
struct DecoderProbe {
    private static let supported = ["AutoencoderKL", "AutoencoderTiny"]

    /// The configuration's path.
    let path: String
    /// The channels of the latents, 4 unless the configuration says otherwise.
    let latentChannels: Int

    /// Reads `config.json` in a decoder's directory.
    ///
    /// - Throws: ``ModelError`` when it is missing, damaged, or that of something else.
    init(directory: String) throws(ModelError) {
        let file = try JSONFile(path: "\(directory)/config.json")
        path = file.path
        let className = file.text("_class_name")
        guard let className, Self.supported.contains(className) else {
            throw file.problem(
                "\(className.map { "_class_name is \($0)" } ?? "the key _class_name is missing"); decoders of class "
                    + "\(Self.supported.joined(separator: " and ")) are supported")
        }
        switch file["latent_channels"] {
        case nil: latentChannels = 4
        case .integer(let count)? where count > 0: latentChannels = count
        default: throw file.problem("latent_channels is not a positive whole number")
        }
    }

    /// Checks that the decoder fits a network of `channels` input channels, whose configuration is at `config`.
    func check(channels: Int, config: String) throws(PipelineError) {
        guard latentChannels == channels else {
            throw .badData(
                "\(path): latent_channels is \(latentChannels), but in_channels in \(config) is \(channels); decoder and "
                    + "network must be of one model")
        }
    }
}
