import FoundationEssentials

extension DiTConfig {
    /// Reads and validates `config.json` in a model directory.
    ///
    /// - Throws: ``ModelError`` that names the file and the key at fault.
    public init(directory: String) throws(ModelError) {
        let (json, path) = try ConfigFile.read(directory: directory)
        try self.init(json: json, path: path)
    }

    /// Decodes and validates the text of a `config.json`; errors name `path`.
    public init(json: Data, path: String) throws(ModelError) {
        self = try ConfigFile.decode(DiTConfig.self, json: json, path: path)
    }
}
