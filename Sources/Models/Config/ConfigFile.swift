import FoundationEssentials

/// The text of a `config.json`, and what is wrong with it in one line.
enum ConfigFile {
    /// The bytes of `config.json` in `directory`, with its path.
    ///
    /// - Throws: ``ModelError`` when there is none, or when it is not a JSON object.
    static func read(directory: String) throws(ModelError) -> (json: Data, path: String) {
        let file = try JSONFile(path: "\(directory)/config.json")
        return (Data(file.bytes), file.path)
    }

    /// Decodes the text of a `config.json`; errors name `path` and the key at fault.
    static func decode<Value: Decodable>(_ type: Value.Type, json: Data, path: String) throws(ModelError) -> Value {
        do {
            // The decoder takes the last of two equal keys; this parser refuses them and says where a text breaks off.
            _ = try StrictJSON.parse(Array(json))
            return try JSONDecoder().decode(type, from: json)
        } catch let problem as JSONProblem {
            throw .invalidConfig(path: path, reason: "not valid JSON: \(problem.reason) at byte \(problem.offset)")
        } catch let problem as ConfigProblem {
            throw .invalidConfig(path: path, reason: problem.description)
        } catch let error as DecodingError {
            throw .invalidConfig(path: path, reason: reason(error))
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
