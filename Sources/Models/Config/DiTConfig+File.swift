import FoundationEssentials

extension DiTConfig {
    /// Reads and validates `config.json` in a model directory.
    ///
    /// - Throws: ``ModelError`` that names the file and the key at fault.
    public init(directory: String) throws(ModelError) {
        let file = try JSONFile(path: "\(directory)/config.json")
        try self.init(json: Data(file.bytes), path: file.path)
    }

    /// Decodes and validates the text of a `config.json`; errors name `path`.
    public init(json: Data, path: String) throws(ModelError) {
        do {
            // The decoder takes the last of two equal keys; this parser refuses them and says where a text breaks off.
            _ = try StrictJSON.parse(Array(json))
            self = try JSONDecoder().decode(DiTConfig.self, from: json)
        } catch let problem as JSONProblem {
            throw .invalidConfig(path: path, reason: "not valid JSON: \(problem.reason) at byte \(problem.offset)")
        } catch let problem as DiTConfigProblem {
            throw .invalidConfig(path: path, reason: problem.description)
        } catch let error as DecodingError {
            throw .invalidConfig(path: path, reason: Self.reason(error))
        } catch {
            throw .invalidConfig(path: path, reason: "it cannot be decoded")
        }
    }

    private static func reason(_ error: DecodingError) -> String {
        func key(_ context: DecodingError.Context) -> String {
            context.codingPath.map(\.stringValue).joined(separator: ".")
        }
        switch error {
        case .keyNotFound(let key, _):
            return "the key \(key.stringValue) is missing"
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            return context.codingPath.isEmpty
                ? "it is not a JSON object" : "\(key(context)) is not of type \(name(type))"
        case .dataCorrupted(let context):
            return "it holds a value that cannot be used: \(context.debugDescription)"
        @unknown default:
            return "it cannot be decoded"
        }
    }

    private static func name(_ type: any Any.Type) -> String {
        switch type {
        case is Double.Type: "number"
        case is String.Type: "text"
        case is Bool.Type: "true or false"
        default: "list"
        }
    }
}
