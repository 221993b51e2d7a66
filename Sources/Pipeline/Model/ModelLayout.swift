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
    /// A pipeline's index; nil for a directory of ours.
    let index: PipelineIndex?

    /// Looks at the directory at `path`.
    ///
    /// - Throws: ``ModelError`` or ``PipelineError`` when a part is missing or it is another kind of model.
    init(directory path: String, families: [NetworkFamily]) throws {
        let hasIndex = FileManager.default.fileExists(atPath: "\(path)/\(PipelineIndex.fileName)")
        index = hasIndex ? try PipelineIndex(directory: path, families: families) : nil
        network = hasIndex ? "\(path)/transformer" : path
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
        for part in [network, vae, tiny].compactMap(\.self) where part != path {
            try Self.checkWeights(in: part, converting: hasIndex ? path : part)
        }
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
