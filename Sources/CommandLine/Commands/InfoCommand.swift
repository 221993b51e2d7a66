import ArgumentParser
import Compute
import FoundationEssentials
import Media
import Models
import Pipeline
import Sampling

/// `omnicache info`: describes a model, an image or a plan.
struct InfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Describes a model, an image or a plan.",
        discussion: "Without an argument, describes the embedded model and the libraries in use.")

    @Argument(
        help: ArgumentHelp("A model directory, or an image or a plan (.json) that omnicache wrote.", valueName: "file"))
    var file: String?

    @OptionGroup var variant: VariantOption

    @Option(help: "The format of the description.")
    var log: LogFormat = .text

    func run() throws {
        if let file, !isDirectory(file), !PickledCheckpoint.isNamedLikeOne(file),
            FileManager.default.fileExists(atPath: file)
        {
            try isPlan(file) ? print(PlanReport(path: file)) : print(ImageReport(path: file))
        } else {
            try print(ModelReport(directory: ModelDirectory(path: modelPath(), variant: variant.variant)))
        }
    }

    private func modelPath() throws(PipelineError) -> String {
        do throws(PipelineError) {
            return try ModelLocator().locate(file)
        } catch {
            guard let file, case .missingInput = error else { throw error }
            throw .missingInput(
                "\(file): no such image or model; give a file, a directory or the name of an installed model")
        }
    }

    private func isPlan(_ path: String) -> Bool { path.lowercased().hasSuffix(".json") }

    private func isDirectory(_ path: String) -> Bool {
        var isDirectory = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory
    }

    private func print(_ report: some Report) throws {
        switch log {
        case .text:
            try Terminal.standardOutput.writeResult(report.text)
        case .json:
            try Terminal.standardOutput.writeResult(Terminal.json(report, formatting: .prettyPrinted) + "\n")
        }
    }
}

/// A description, as text and as JSON.
private protocol Report: Encodable {
    /// Rows of a title and a value. Values may come from a file.
    var rows: [(title: String, value: String)] { get }
    /// Lines below the rows.
    var lines: [String] { get }
}

extension Report {
    /// The rows, with their values aligned, and the lines.
    var text: String {
        let width = (rows.map(\.title.count).max() ?? 0) + 2
        let aligned = rows.map { title, value in
            title + String(repeating: " ", count: width - title.count) + value.onOneLine
        }
        return (aligned + lines.map(\.onOneLine)).map { $0 + "\n" }.joined()
    }
}

/// An image.
private struct ImageReport: Report {
    private let metadata: ImageMetadata
    /// More than one in a clip.
    private let frames: Int

    init(path: String) throws {
        guard let bytes = try? [UInt8](Data(contentsOf: URL(filePath: path))) else {
            throw PipelineError.inputOutput("\(path): cannot be read; check its permissions")
        }
        metadata = try ImageMetadata(png: bytes, path: path)
        // Another program may have turned the pixels into some that are not decoded here; the settings are still there.
        frames = (try? PNGReader.frames(of: bytes).count) ?? 1
    }

    private enum CodingKeys: String, CodingKey { case frames }

    func encode(to encoder: any Encoder) throws {
        try metadata.encode(to: encoder)
        guard frames > 1 else { return }
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(frames, forKey: .frames)
    }

    var rows: [(title: String, value: String)] {
        let record = metadata.record
        let items = record.items.map { item in
            "\(item.condition)\(item.negative.map { " (not '\($0)')" } ?? "") seed \(item.seed)"
        }.joined(separator: ", ")
        return [
            ("model", record.model.name), ("model hash", record.model.hash), ("images", items),
        ] + clipRows + record.settings.rows + [
            ("settings hash", metadata.settingsHash),
            ("made by", "omnicache \(metadata.versions.omnicache), \(metadata.versions.openblas)"),
        ] + (record.reuse?.rows ?? [])
    }

    var lines: [String] { metadata.record.reuse?.lines ?? [] }

    /// What is said of a clip, or of a frame of one.
    private var clipRows: [(title: String, value: String)] {
        if let frame = metadata.record.frame { return [("frame", "\(frame)")] }
        guard frames > 1 else { return [] }
        return [("frames", "\(frames)" + (metadata.record.framesPerSecond.map { ", \($0) a second" } ?? ""))]
    }
}

/// A plan.
private struct PlanReport: Report {
    private let file: PlanFile

    init(path: String) throws {
        file = try PlanFile(path: path)
    }

    func encode(to encoder: any Encoder) throws {
        try file.encode(to: encoder)
    }

    var rows: [(title: String, value: String)] {
        [("model", file.model.name), ("model hash", file.model.hash)] + file.settings.rows + file.reuse.rows
    }

    var lines: [String] { file.reuse.lines }
}

extension SampleSettings {
    fileprivate var rows: [(title: String, value: String)] {
        let rule = sampler.stepRule == .list ? "" : ", steps as diffusers' scheduler"
        return [
            ("steps", "\(steps)"),
            ("sampler", "\(sampler.kind.rawValue), \(sampler.spacing.rawValue) spacing, eta \(sampler.eta)\(rule)"),
            ("guidance", "\(guidanceScale)"),
        ] + (arithmetic == .standard ? [] : [("computed by", "\(arithmetic)")])
    }
}

extension ReuseRecord {
    /// What is reused.
    fileprivate var rows: [(title: String, value: String)] {
        [("reuse", summary + (budget.map { ", budget \($0.share)" } ?? ""))]
    }

    /// The decisions, a line for each branch.
    fileprivate var lines: [String] { "\(decisions)".split(separator: "\n").map(String.init) }
}

/// A model directory.
private struct ModelReport: Report {
    private struct Libraries: Encodable {
        let versions: LibraryVersions?
        let kernels: KernelChoice?
        /// oneDNN's version; nil where it cannot be used.
        let onednn: String?
        /// What multiplies here, and how precisely.
        let engines: [Arithmetic]
        /// The fastest of them, if errors of its precision do not matter.
        let recommended: Arithmetic
        /// Why OpenBLAS cannot be used.
        let problem: String?
        let processors: Int

        init() {
            processors = Workers.available
            engines = Arithmetic.available
            recommended = .recommended
            onednn = OneDNN.version
            do throws(MachineError) {
                try BLAS.open()
                (versions, kernels, problem) = (.current, BLAS.kernels, nil)
            } catch {
                (versions, kernels, problem) = (nil, nil, "\(error)")
            }
        }

        var openblas: String { versions?.openblas ?? problem ?? "" }
        var engineText: String {
            EngineKind.allCases.compactMap { kind in
                let precisions = engines.filter { $0.engine == kind }.map(\.precision.rawValue)
                return precisions.isEmpty ? nil : "\(kind.rawValue) \(precisions.joined(separator: ", "))"
            }.joined(separator: "; ")
        }
        var onednnText: String { onednn ?? OneDNN.problem ?? "" }
        var kernelText: String { kernels.map { "\($0)" } ?? "none" }
    }

    private let directory: ModelDirectory
    private let libraries = Libraries()

    init(directory: ModelDirectory) {
        self.directory = directory
    }

    private var decoders: [String] { [directory.vaeDirectory, directory.tinyDirectory].compactMap(\.self) }
    private var parameters: Int { directory.archive.files.flatMap(\.entries).reduce(0) { $0 + $1.count } }

    private enum CodingKeys: String, CodingKey {
        case path, name, hash, config, process, classes, weightFiles, decoders, defaults, parameters, canBeGuided
        case prompts, libraries
    }

    func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(directory.path, forKey: .path)
        try values.encode(directory.name, forKey: .name)
        try values.encode(directory.reference().hash, forKey: .hash)
        try values.encode(directory.config, forKey: .config)
        try values.encode(directory.process, forKey: .process)
        try values.encode(directory.classes.names, forKey: .classes)
        try values.encode(directory.archive.files.map(\.path), forKey: .weightFiles)
        try values.encode(decoders, forKey: .decoders)
        try values.encode(directory.defaultSettings, forKey: .defaults)
        try values.encode(parameters, forKey: .parameters)
        try values.encode(directory.hasNullClass, forKey: .canBeGuided)
        try values.encodeIfPresent(Prompts(directory), forKey: .prompts)
        try values.encode(libraries, forKey: .libraries)
    }

    var rows: [(title: String, value: String)] {
        let (config, process, sampler) = (directory.config, directory.process, directory.defaultSettings.sampler)
        return [
            ("model", "\(directory.name) (\(directory.path))"), ("hash", directory.reference().hash),
            ("network", config.summary),
            ("parameters", "\(parameters)\(directory.hasNullClass ? "" : ", no null class: no guidance")"),
            (
                "predicts",
                "\(Self.prediction(of: process))\(config.hasVariance ? " and variance" : ""), "
                    + "\(process.trainTimesteps) training timesteps"
            ),
            ("decoder", decoders.isEmpty ? "none" : decoders.joined(separator: ", ")),
            ("sampler", "\(sampler.kind.rawValue), \(sampler.spacing.rawValue) spacing, by default"),
            ("guidance", config.guidanceScale.map { "\($0) recommended" } ?? "no recommendation"),
            ("omnicache", LibraryVersions.omnicache), ("OpenBLAS", libraries.openblas),
            ("kernels", libraries.kernelText), ("oneDNN", libraries.onednnText), ("engines", libraries.engineText),
            ("fastest", "\(libraries.recommended)"), ("processors", "\(libraries.processors)"),
        ] + (Prompts(directory)?.rows ?? [("classes", "\(directory.classes.count)")])
    }

    /// What a model of prompts reads.
    private struct Prompts: Encodable {
        /// The most tokens of a prompt.
        let tokens: Int
        /// The directories of the text encoder and of its tokenizer; nil where there are none.
        let encoder, tokenizer: String?
        /// What the model is calibrated on by default.
        let examples: [String]

        init?(_ directory: ModelDirectory) {
            guard let rules = directory.conditions.promptRules else { return nil }
            tokens = rules.tokens
            examples = rules.examples
            encoder = directory.prompts?.encoder
            tokenizer = directory.prompts?.tokenizer
        }

        var rows: [(title: String, value: String)] {
            [
                ("text encoder", encoder ?? "none: give one with --text-encoder"),
                ("tokenizer", tokenizer ?? "none"), ("prompts", "at most \(tokens) tokens"),
                ("for example", examples.first ?? ""),
            ]
        }
    }

    private static func prediction(of process: DiffusionProcess) -> String {
        guard case .flow(let flow) = process.noising, flow.output != .velocity else {
            return process.predictionType.rawValue
        }
        return "sample of a flow"
    }

    var lines: [String] { directory.classes.names.enumerated().map { "  \($0)  \($1)" } }
}
