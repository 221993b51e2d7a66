import Models

/// The `model_index.json` of a diffusers pipeline: which parts it has, and the names of the classes.
///
/// Source: https://github.com/huggingface/diffusers, pipelines/dit/pipeline_dit.py, version 0.42.1.
struct PipelineIndex {
    /// The file's name.
    static let fileName = "model_index.json"

    private let file: JSONFile
    /// The classes of the parts.
    private let parts: [String: String]

    /// Reads the index in `directory`.
    ///
    /// - Throws: ``ModelError`` when it is damaged, or that of a pipeline of another kind.
    init(directory: String, families: [NetworkFamily]) throws(ModelError) {
        let supported = families.flatMap(\.pipelineClasses)
        file = try JSONFile(path: "\(directory)/\(Self.fileName)")
        let fields = ConfigFields(file)
        guard fields.contains("_class_name") else {
            throw file.problem("the key _class_name is missing; \(Self.only(supported))")
        }
        switch file["_class_name"] {
        case .string(let name)? where supported.contains(name):
            break
        case .string(let name)?:
            throw file.problem(
                "_class_name is \(name), \(ForeignModel.kind(of: name)); \(Self.only(supported))")
        case let other:
            // diffusers writes a list where the pipeline is a program of its own beside the weights.
            throw file.problem(
                "_class_name is \((other ?? .null).inWords), not the name of a pipeline of diffusers; "
                    + Self.only(supported))
        }
        var parts: [String: String] = [:]
        for name in ["transformer", "vae", "scheduler"] where fields.contains(name) {
            parts[name] = try Self.className(of: name, in: file)
        }
        self.parts = parts
    }

    /// The class in a pair of library and class; nil for a pair of nulls, a part that the pipeline goes without.
    private static func className(of name: String, in file: JSONFile) throws(ModelError) -> String? {
        if case .array(let pair)? = file[name], pair.count == 2 {
            if pair[0] == .null { return nil }
            if case .string(let className) = pair[1] { return className }
        }
        throw file.problem(
            "\(name) is \((file[name] ?? .null).inWords), not a pair such as [\"diffusers\", \"DDIMScheduler\"]")
    }

    private static func only(_ supported: [String]) -> String {
        "only a \(supported.joined(separator: " or a ")) is supported"
    }

    /// The class of the part `name`, such as DDIMScheduler; nil when the pipeline has no such part.
    func className(of name: String) -> String? { parts[name] }

    /// The classes' names by their ids, synonyms separated by commas: `id2label`, an object whose keys are ids or a list;
    /// each name is a text or a list of synonyms.
    ///
    /// - Parameter count: the number of the network's classes.
    /// - Returns: a name for every class, `class 7` where the index names none; nil when it names none at all.
    /// - Throws: ``ModelError`` when it names what is no class.
    func classNames(count: Int) throws(ModelError) -> [String]? {
        var names = (0..<count).map(ClassNames.placeholder)
        switch file["id2label"] {
        case nil:
            return nil
        case .object(let members)?:
            for member in members {
                guard let id = Int(member.key), names.indices.contains(id) else {
                    throw file.problem(
                        "id2label names a class \(member.key), but the transformer has 0 to \(count - 1)")
                }
                names[id] = try name(member.value, of: member.key)
            }
        case .array(let values)?:
            guard values.count <= count else {
                throw file.problem("id2label has \(values.count) names, but the transformer has \(count) classes")
            }
            for (id, value) in values.enumerated() { names[id] = try name(value, of: "\(id)") }
        default:
            throw file.problem("id2label is \((file["id2label"] ?? .null).inWords), neither an object nor a list")
        }
        if let problem = names.unprintable(in: "id2label") { throw file.problem(problem.description) }
        return names
    }

    private func name(_ value: JSONValue, of id: String) throws(ModelError) -> String {
        switch value {
        case .string(let name):
            return name
        case .array(let synonyms):
            var texts: [String] = []
            for case .string(let text) in synonyms { texts.append(text) }
            guard texts.count == synonyms.count, !texts.isEmpty else { break }
            return texts.joined(separator: ", ")
        default:
            break
        }
        throw file.problem("the name of class \(id) in id2label is neither a text nor a list of texts")
    }
}
