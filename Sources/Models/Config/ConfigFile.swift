import FoundationEssentials

/// The values of a `config.json`, and what is wrong with them in one line.
enum ConfigFile {
    /// Decodes a `config.json`; errors name the file and the key at fault.
    static func decode<Value: Decodable>(_ type: Value.Type, from file: JSONFile) throws(ModelError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(file.bytes))
        } catch let problem as ConfigProblem {
            throw file.problem(problem.description)
        } catch let error as DecodingError {
            throw file.problem(reason(error))
        } catch {
            throw file.problem("it cannot be decoded")
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
