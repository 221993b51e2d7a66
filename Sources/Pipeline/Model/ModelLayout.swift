import FoundationEssentials
import Models

/// Which files of a model directory are what: of a directory of ours, or of a diffusers pipeline.
struct ModelLayout {
    /// The directory of the network's `config.json` and weights.
    let network: String
    /// The directory of the decoder; nil when there is none.
    let vae: String?
    /// The directory of the small, fast decoder; nil when there is none.
    let tiny: String?
    /// The scheduler's configuration; nil when there is none.
    let scheduler: String?
    /// The text encoder and its tokenizer; nil when there are none.
    let prompts: PromptParts?
    /// A pipeline's index; nil for a directory of ours.
    let index: PipelineIndex?

    /// Looks at the directory at `path`.
    ///
    /// - Throws: ``ModelError`` or ``PipelineError`` when a part is missing or it is another kind of model.
    init(directory given: String, families: [NetworkFamily]) throws {
        let isVariant = Self.isVariant(given)
        let path = isVariant ? "\(given)/.." : given
        let hasIndex = FileManager.default.fileExists(atPath: "\(path)/\(PipelineIndex.fileName)")
        index = hasIndex ? try PipelineIndex(directory: path, families: families) : nil
        network = hasIndex ? try isVariant ? "\(given)/transformer" : Self.network(of: path) : path
        if index != nil {
            try Self.requireFile("\(network)/config.json", because: "the pipeline's network")
        } else {
            try Self.checkConfig(in: path)
        }
        vae = try Self.part("vae", of: path, index: index)
        tiny = try Self.part("vae_tiny", of: path, index: nil)
        let scheduler = "\(path)/scheduler/scheduler_config.json"
        if let className = index?.className(of: "scheduler") {
            try Self.requireFile(scheduler, because: "\(PipelineIndex.fileName) names a \(className)")
        }
        self.scheduler = FileManager.default.fileExists(atPath: scheduler) ? scheduler : nil
        if let className = index?.className(of: "text_encoder"), className != "T5EncoderModel" {
            throw PipelineError.badData(
                "\(path)/\(PipelineIndex.fileName): the text encoder is a \(className); only a T5EncoderModel is supported"
            )
        }
        prompts = try PromptParts(pipeline: path)
        for part in [network, vae, tiny, prompts?.encoder].compactMap(\.self) where part != path {
            try Self.checkWeights(in: part, converting: hasIndex ? path : part)
        }
    }

    /// Whether the directory at `path` is one of several variants of a pipeline, as those of MiniT2I: it has a network, and
    /// the pipeline around it the rest.
    private static func isVariant(_ path: String) -> Bool {
        let files = FileManager.default
        return !files.fileExists(atPath: "\(path)/\(PipelineIndex.fileName)")
            && files.fileExists(atPath: "\(path)/transformer/config.json")
            && files.fileExists(atPath: "\(path)/../\(PipelineIndex.fileName)")
    }

    /// The network of the pipeline at `path`: its part `transformer`, or that of its only variant.
    private static func network(of path: String) throws(PipelineError) -> String {
        let own = "\(path)/transformer"
        guard !FileManager.default.fileExists(atPath: own) else { return own }
        let variants = contents(of: path).filter {
            FileManager.default.fileExists(atPath: "\(path)/\($0)/transformer/config.json")
        }
        guard variants.count > 1 else { return variants.first.map { "\(path)/\($0)/transformer" } ?? own }
        throw .usage(
            "\(path): the model has the variants \(variants.joined(separator: ", ")); give one, such as "
                + "--model \(path)/\(variants[0])")
    }

    private static func part(_ name: String, of path: String, index: PipelineIndex?) throws(PipelineError) -> String? {
        let directory = "\(path)/\(name)"
        if let className = index?.className(of: name) {
            try requireFile("\(directory)/config.json", because: "\(PipelineIndex.fileName) names an \(className)")
        }
        return FileManager.default.fileExists(atPath: directory) ? directory : nil
    }

    private static func requireFile(_ file: String, because reason: String) throws(PipelineError) {
        guard FileManager.default.fileExists(atPath: file) else {
            throw .missingInput("\(file): no such file, but a part of the model (\(reason)); fetch the whole directory")
        }
    }

    /// Says what a directory without any configuration seems to be.
    private static func checkConfig(in path: String) throws(PipelineError) {
        guard !FileManager.default.fileExists(atPath: "\(path)/config.json") else { return }
        let names = contents(of: path)
        if names.contains("transformer") {
            throw .missingInput(
                "\(path): a pipeline without \(PipelineIndex.fileName); fetch that file too, or give \(path)/transformer"
            )
        }
        if let name = names.first(where: PickledCheckpoint.isNamedLikeOne) {
            throw .missingInput(
                "\(path): no config.json, but \(name), a PyTorch checkpoint; "
                    + PickledCheckpoint.advice(converting: "\(path)/\(name)"))
        }
    }

    /// Refuses a part whose weights are there only as PyTorch's pickled files; `directory` is what is to be converted.
    private static func checkWeights(in part: String, converting directory: String) throws(PipelineError) {
        let names = contents(of: part)
        guard !names.contains(where: { $0.contains(".safetensors") }),
            let name = names.first(where: PickledCheckpoint.isNamedLikeOne)
        else { return }
        throw .missingInput(
            "\(part): no .safetensors file, but \(name), a PyTorch checkpoint; "
                + PickledCheckpoint.advice(converting: directory))
    }

    private static func contents(of directory: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
    }
}

/// The `model_index.json` of a diffusers pipeline: which parts it has, and the names of the classes.
///
/// Source: https://github.com/huggingface/diffusers, pipelines/dit/pipeline_dit.py, version 0.42.1.
struct PipelineIndex {
    /// The file's name.
    static let fileName = "model_index.json"

    private let file: JSONFile
    /// The class of the pipeline.
    let className: String
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
            className = name
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
        for name in ["transformer", "vae", "scheduler", "text_encoder"] where fields.contains(name) {
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
