import FoundationEssentials

extension AutoencoderConfig: Decodable {
    private enum CodingKeys: String, CodingKey {
        case className = "_class_name"
    }

    /// Decodes and validates the configuration of the class that `_class_name` names.
    ///
    /// - Throws: `DecodingError` or ``ConfigProblem``.
    public init(from decoder: any Decoder) throws {
        let name = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .className)
        switch name {
        case "AutoencoderKL": self = .kl(try AutoencoderKLConfig(from: decoder))
        case "AutoencoderTiny": self = .tiny(try AutoencoderTinyConfig(from: decoder))
        default:
            throw ConfigProblem(
                "_class_name is \(name); only AutoencoderKL and AutoencoderTiny are supported as decoders")
        }
    }

    /// Reads and validates `config.json` in an autoencoder's directory.
    ///
    /// - Throws: ``ModelError`` that names the file and the key at fault.
    public init(directory: String) throws(ModelError) {
        try self.init(file: JSONFile(path: "\(directory)/config.json"))
    }

    /// Decodes and validates the text of a `config.json`; errors name `path`.
    public init(json: Data, path: String) throws(ModelError) {
        try self.init(file: JSONFile(bytes: Array(json), path: path))
    }

    /// Decodes and validates a `config.json` that has been read.
    package init(file: JSONFile) throws(ModelError) {
        self = try ConfigFile.decode(AutoencoderConfig.self, from: file)
    }
}
