import Compute
import FoundationEssentials
import Models
import Sampling

/// A model directory of ours or a diffusers pipeline, opened: its configuration and the headers of its weights, but not
/// yet the weights.
public struct ModelDirectory: Sendable {
    /// Where it lies.
    public let path: String
    /// Where the network's `config.json` and weights lie: ``path``, or a pipeline's `transformer`.
    public let networkDirectory: String
    /// Where the decoder lies, its configuration checked against the network's channels; nil when there is none.
    public let vaeDirectory: String?
    /// Where the small, fast decoder lies, checked in the same way; nil when there is none.
    public let tinyDirectory: String?
    /// The network's dimensions and conventions.
    public let config: any NetworkConfiguration
    /// What the model was trained to undo.
    public let process: DiffusionProcess
    /// The weight files.
    public let archive: WeightArchive
    /// The classes.
    public let classes: ClassNames
    /// The variant of the weights that was asked for.
    let variant: String?

    /// The sampler that the model comes with; nil when it comes with none.
    let recommendedSampler: SamplerOptions?

    /// The directory's name, which stands for the model in file metadata.
    public var name: String {
        URL(filePath: path).standardizedFileURL.lastPathComponent
    }

    /// Whether the model can be guided.
    public var hasNullClass: Bool { config.canBeGuided(by: archive) }

    /// What is done when nothing is asked for: 50 steps of the sampler that the model comes with, or else of DDIM (Euler
    /// for flows), with the model's own guidance scale, or that of the DiT paper's pictures, 4; unguided if the model
    /// cannot be guided.
    public var defaultSettings: SampleSettings {
        followingScheduler(
            SampleSettings(
                steps: 50, sampler: recommendedSampler ?? SamplerOptions(defaultFor: process),
                guidanceScale: hasNullClass ? config.guidanceScale ?? 4 : 1, guidedChannels: config.guidanceChannels))
    }

    /// Opens the directory at `path`: reads the configurations and checks the headers of the weights.
    ///
    /// - Parameters:
    ///   - path: the directory.
    ///   - variant: the variant of the weights to take in every part that has it, such as fp16; nil for the plain files,
    ///     or the only variant.
    ///   - families: the families of networks that there are.
    /// - Throws: ``ModelError``, ``SafetensorsError`` or ``PipelineError`` that say what is wrong where.
    public init(
        path: String, variant: String? = nil, families: [NetworkFamily] = NetworkFamily.all
    ) throws {
        self.path = path
        self.variant = variant
        let layout = try ModelLayout(directory: path, families: families)
        networkDirectory = layout.network
        vaeDirectory = layout.vae
        tinyDirectory = layout.tiny
        let file = try JSONFile(path: "\(layout.network)/config.json")
        config = try families.configuration(in: file)
        if let scheduler = layout.scheduler {
            let found = try SchedulerConfig(path: scheduler, className: layout.index?.className(of: "scheduler"))
            try Self.checkAgreement(of: file, with: found.process, in: scheduler)
            process = found.process
            recommendedSampler = found.sampler
        } else {
            process = try DiffusionProcess(config: file)
            recommendedSampler = nil
        }
        if let variant {
            let parts = [layout.network, layout.vae, layout.tiny].compactMap(\.self)
            let found = parts.reduce(into: Set<String>()) { $0.formUnion(WeightArchive.variants(in: $1)) }
            guard found.contains(variant) else {
                throw SafetensorsError.noSuchVariant(directory: path, variant: variant, found: found.sorted())
            }
        }
        archive = try WeightArchive(directory: layout.network, variant: variant)
        try config.checkNames(in: archive)
        for decoder in [layout.vae, layout.tiny].compactMap(\.self) {
            _ = try DecoderSource.config(directory: decoder, channels: config.latentShape.channels, network: file.path)
        }
        let count = config.conditions.classCount
        let names = try layout.index?.classNames(count: count) ?? config.classNames
        classes = ClassNames(
            names.isEmpty ? (0..<count).map(ClassNames.placeholder) : names,
            contentsPath: "\(path)/\(ClassContents.fileName)")
    }

    /// Checks that a `config.json` which says something of the process says what the scheduler does.
    private static func checkAgreement(
        of file: JSONFile, with process: DiffusionProcess, in scheduler: String
    ) throws {
        guard let key = DiffusionProcess.configKeys.first(where: { file[$0] != nil }),
            try DiffusionProcess(config: file) != process
        else { return }
        throw PipelineError.badData(
            "\(file.path): says otherwise (by \(key) and the like) than \(scheduler) what the model was trained on; "
                + "remove one of the two")
    }

    /// What ties images to the model; reads the weights the first time.
    public func reference() -> ImageRecord.Model {
        let conventions = ImageRecord.canonical(config.conventions) + ImageRecord.canonical(process)
        return ImageRecord.Model(
            name: name, hash: ModelHash.of(archive.files), configuration: SHA256.hexadecimal(conventions))
    }

    /// The shape of the latents.
    public var latentShape: LatentShape { config.latentShape }

    /// Loads the weights.
    ///
    /// - Parameters:
    ///   - precision: how wide the numbers are in memory.
    ///   - progress: called with the share that has been loaded, from 0 to 1.
    /// - Returns: the network.
    /// - Throws: ``ModelError``, ``SafetensorsError``, or ``MachineError`` where there is no OpenBLAS or too little memory.
    public func load(
        precision: WeightPrecision = .float32, progress: ((Double) -> Void)? = nil
    ) throws -> any DenoisingNetwork {
        try BLAS.open()
        return try config.load(from: archive, precision: precision, progress: progress)
    }
}
