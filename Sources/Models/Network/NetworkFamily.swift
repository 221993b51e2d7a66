/// A family of networks: how its models are recognised, and what opens them.
///
/// ``all`` is the one place that knows which families there are. A new one is a folder of its own beside `DiT`, and a
/// line here.
public struct NetworkFamily: Sendable {
    /// The family's name: what `architecture` says in this package's `config.json`.
    public let name: String
    /// The classes of diffusers that its networks have: `_class_name` in a `config.json`.
    public let networkClasses: [String]
    /// The classes of diffusers' pipelines around them: `_class_name` in a `model_index.json`.
    public let pipelineClasses: [String]
    /// Reads and validates a `config.json`.
    package let open: @Sendable (JSONFile) throws(ModelError) -> any NetworkConfiguration
    /// Published sizes, by their names, such as S/2.
    package let sizes: [Size]

    /// A network of a published size.
    package struct Size: Sendable {
        package let name: String
        package let configuration: @Sendable () throws -> any NetworkConfiguration
    }

    package init(
        name: String, networkClasses: [String], pipelineClasses: [String], sizes: [Size] = [],
        open: @escaping @Sendable (JSONFile) throws(ModelError) -> any NetworkConfiguration
    ) {
        self.name = name
        self.networkClasses = networkClasses
        self.pipelineClasses = pipelineClasses
        self.sizes = sizes
        self.open = open
    }

    /// All families, the one first that a `config.json` without a word about it belongs to.
    public static let all = [diffusionTransformers]
}

extension [NetworkFamily] {
    /// The configuration in a `config.json`, by what the file says that it is.
    ///
    /// A file of no known family is given to the first one, which says what it does not understand.
    package func configuration(in file: JSONFile) throws(ModelError) -> any NetworkConfiguration {
        let family = first { family in
            switch (file["_class_name"], file["architecture"]) {
            case (.string(let className)?, _): family.networkClasses.contains(className)
            case (nil, .string(let architecture)?): architecture == family.name
            default: false
            }
        }
        guard let family = family ?? first else { throw file.problem("no network is known") }
        return try family.open(file)
    }
}
