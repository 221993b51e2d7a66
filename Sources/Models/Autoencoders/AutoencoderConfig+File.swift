import FoundationEssentials

extension AutoencoderConfig {
    /// Reads and validates `config.json` in an autoencoder's directory.
    ///
    /// - Throws: ``ModelError`` that names the file and the key at fault.
    public init(directory: String) throws(ModelError) {
        try self.init(file: JSONFile(path: "\(directory)/config.json"))
    }

    /// Reads and validates the text of a `config.json`; errors name `path`.
    public init(json: Data, path: String) throws(ModelError) {
        try self.init(file: JSONFile(bytes: Array(json), path: path))
    }

    /// Reads and validates a `config.json` that has been parsed, of the class that its `_class_name` names.
    package init(file: JSONFile) throws(ModelError) {
        do throws(ConfigProblem) {
            let fields = ConfigFields(file)
            switch try fields.required("_class_name", .text) {
            case "AutoencoderKL": self = .kl(try AutoencoderKLConfig(fields))
            case "AutoencoderTiny": self = .tiny(try AutoencoderTinyConfig(fields))
            case let name:
                throw ConfigProblem(
                    "_class_name is \(name); only AutoencoderKL and AutoencoderTiny are supported as decoders")
            }
        } catch {
            throw file.problem(error.description)
        }
    }
}
