import FoundationEssentials

extension DiTConfig {
    /// Reads and validates `config.json` in a model directory.
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
        self = try ConfigFile.decode(DiTConfig.self, from: file)
    }
}
