/// A family of networks: how its models are recognised, and what opens them.
///
/// ``all`` is the registry of families. A new one is a folder next to `DiT`, and a line here.
public struct NetworkFamily: Sendable {
    /// The family's name: what `architecture` says in this package's `config.json`.
    public let name: String
    /// The classes of diffusers that its networks have: `_class_name` in a `config.json`.
    public let networkClasses: [String]
    /// The `norm_type` of its networks, by which they are told from other networks of a class; nil where no other family
    /// has networks of its classes.
    public let normType: String?
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
        name: String, networkClasses: [String], normType: String? = nil, pipelineClasses: [String], sizes: [Size] = [],
        open: @escaping @Sendable (JSONFile) throws(ModelError) -> any NetworkConfiguration
    ) {
        self.name = name
        self.networkClasses = networkClasses
        self.normType = normType
        self.pipelineClasses = pipelineClasses
        self.sizes = sizes
        self.open = open
    }

    /// All families; a `config.json` that names none belongs to the first.
    public static let all = [diffusionTransformers, miniT2I, pixart, latte, latteT2V]
}

extension [NetworkFamily] {
    /// The configuration in a `config.json`, by the family that the file names; the first one where it names none.
    ///
    /// - Throws: ``ModelError`` that lists the known families where the file names another one.
    package func configuration(in file: JSONFile) throws(ModelError) -> any NetworkConfiguration {
        let family = try file.read { fields throws(ConfigProblem) in try self.family(of: fields) }
        return try family.open(file)
    }

    private func family(of fields: ConfigFields) throws(ConfigProblem) -> NetworkFamily {
        if fields.contains("_class_name") {
            let name = try fields.required("_class_name", .text)
            let candidates = filter { $0.networkClasses.contains(name) }
            // Whether the norm's type is a text is for the family to check.
            let own = candidates.first { family in
                family.normType.map { fields.file["norm_type"] == .string($0) } ?? true
            }
            if let family = own ?? candidates.first { return family }
            let classes = flatMap(\.networkClasses).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
            throw ConfigProblem(
                "_class_name is \(name), \(ForeignModel.kind(of: name)); supported: "
                    + classes.joined(separator: ", "))
        }
        let supported = map(\.name).joined(separator: ", ")
        if case .array(let classes)? = fields.file["architectures"], case .string(let found)? = classes.first {
            throw ConfigProblem("it describes a \(found) of the transformers library; supported: \(supported)")
        }
        let name = try fields.value("architecture", .text, default: first?.name ?? "missing")
        if let family = first(where: { $0.name == name }) { return family }
        throw ConfigProblem("architecture is \(name); supported: \(supported)")
    }
}

/// Descriptions, for messages, of the classes of diffusers that are not supported.
package enum ForeignModel {
    /// Prefixes of names with descriptions; the first that fits counts. The names are those of
    /// https://github.com/huggingface/diffusers, version 0.42.1.
    private static let pipelines: [(prefix: String, kind: String)] = [
        ("StableDiffusion3", "a text-to-image transformer's pipeline"),
        ("StableDiffusion", "a U-Net's text-to-image pipeline"),
        ("StableCascade", "a U-Net's text-to-image pipeline"),
        ("Kandinsky5", "a video transformer's pipeline"),
        ("Kandinsky", "a U-Net's text-to-image pipeline"),
        ("LatentConsistency", "a U-Net's text-to-image pipeline"),
        ("LDM", "a U-Net's pipeline"), ("DDPM", "a U-Net's pipeline"), ("DDIM", "a U-Net's pipeline"),
        ("Wan", "a video transformer's pipeline"), ("CogVideo", "a video transformer's pipeline"),
        ("HunyuanVideo", "a video transformer's pipeline"), ("LTX", "a video transformer's pipeline"),
        ("Mochi", "a video transformer's pipeline"),
    ]

    /// What a class of this name is: a phrase such as "a U-Net".
    package static func kind(of className: String) -> String {
        if className.hasSuffix("Pipeline") {
            return pipelines.first { className.hasPrefix($0.prefix) }?.kind ?? "a text-to-image or other pipeline"
        }
        if className.hasPrefix("Autoencoder") || className == "VQModel" {
            return "a decoder, which belongs in the subdirectory vae of a model"
        }
        if className.contains("UNet") { return "a U-Net" }
        if className.contains("ControlNet") { return "an add-on to another model" }
        if className.contains("3DModel") || className.contains("Video") { return "a video transformer" }
        if className.contains("Transformer") || className.contains("DiT") { return "a text-to-image transformer" }
        if className.contains("Scheduler") { return "a scheduler, which belongs in the subdirectory scheduler" }
        return "another kind of model"
    }
}
