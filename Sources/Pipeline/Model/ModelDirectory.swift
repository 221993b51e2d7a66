import Compute
import FoundationEssentials
import Models
import Sampling

/// A model directory of ours or a diffusers pipeline, opened: its configuration and the headers of its weights, but not
/// yet the weights.
public struct ModelDirectory: Sendable {
    /// Its path.
    public let path: String
    /// Where the network's `config.json` and weights lie: ``path``, or a pipeline's `transformer`.
    public let networkDirectory: String
    /// The directory of the decoder, its configuration checked against the network's channels; nil when there is none.
    public let vaeDirectory: String?
    /// The directory of the small, fast decoder, checked in the same way; nil when there is none.
    public let tinyDirectory: String?
    /// The network's dimensions and conventions, for pictures of ``size``.
    public private(set) var config: any NetworkConfiguration
    /// The size of the pictures; nil for the model's own.
    public private(set) var size: PictureSize?
    /// What of the network's configuration its identity depends on, whatever the size of the pictures.
    private let conventions: Data
    /// What the model was trained to undo.
    public let process: DiffusionProcess
    /// The weight files.
    public let archive: WeightArchive
    /// The classes.
    public let classes: ClassNames
    /// The conditions that the network takes. The example prompts are those of the file `prompts.txt` in the directory, a
    /// line each, or else the family's.
    public private(set) var conditions: ConditionKind
    /// What encodes prompts; nil where the directory has none, and for networks that take none.
    public let prompts: PromptSource?
    /// The variant of the weights that was asked for.
    let variant: String?

    /// The sampler that the model comes with; nil when it comes with none.
    let recommendedSampler: SamplerOptions?

    /// The directory's name, which names the model in file metadata.
    public var name: String {
        URL(filePath: path).standardizedFileURL.lastPathComponent
    }

    /// Whether the model can be guided.
    public var hasNullClass: Bool { config.canBeGuided(by: archive) }

    /// What is done when nothing is asked for: the model's own number of steps, or else 50, of the sampler that it comes
    /// with, or else of DDIM (Euler for flows), with its own guidance scale, or that of the DiT paper's pictures, 4; unguided
    /// if it cannot be guided.
    public var defaultSettings: SampleSettings {
        var settings = followingScheduler(
            SampleSettings(
                steps: config.steps ?? 50, sampler: recommendedSampler ?? SamplerOptions(defaultFor: process),
                guidanceScale: hasNullClass ? config.guidanceScale ?? 4 : 1, guidedChannels: config.guidanceChannels))
        settings.size = size
        return settings
    }

    /// Opens the directory at `path`: reads the configurations and checks the headers of the weights.
    ///
    /// - Parameters:
    ///   - path: the directory.
    ///   - variant: the variant of the weights to take in every part that has it, such as fp16; nil for the plain files,
    ///     or the only variant.
    ///   - textEncoder: the directory of a text encoder to use instead of the model's own; nil for that one.
    ///   - families: the families of networks that there are.
    /// - Throws: ``ModelError``, ``SafetensorsError`` or ``PipelineError`` that say what is wrong where.
    public init(
        path: String, variant: String? = nil, textEncoder: String? = nil,
        families: [NetworkFamily] = NetworkFamily.all
    ) throws {
        self.path = path
        self.variant = variant
        let layout = try ModelLayout(directory: path, families: families)
        networkDirectory = layout.network
        vaeDirectory = layout.vae
        tinyDirectory = layout.tiny
        let file = try JSONFile(path: "\(layout.network)/config.json")
        let described = try families.configuration(in: file)
        let config = layout.index.map { described.inPipeline($0.className) } ?? described
        self.config = config
        conventions = CanonicalJSON.data(config.conventions)
        let filled = try file.filled(from: config.process)
        if let scheduler = layout.scheduler {
            let found = try SchedulerConfig(path: scheduler, className: layout.index?.className(of: "scheduler"))
            if let process = found.process { try Self.checkAgreement(of: filled, with: process, in: scheduler) }
            process = try found.process ?? DiffusionProcess(config: filled)
            recommendedSampler = found.sampler
        } else {
            process = try DiffusionProcess(config: filled)
            recommendedSampler = nil
        }
        if let variant {
            let parts = [layout.network, layout.vae, layout.tiny, layout.prompts?.encoder].compactMap(\.self)
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
        if config.conditions.promptRules == nil {
            if let textEncoder {
                throw PipelineError.usage("--text-encoder \(textEncoder): the model \(path) draws classes, not prompts")
            }
            prompts = nil
        } else {
            prompts = try (textEncoder.map { try PromptParts(directory: $0) } ?? layout.prompts).map {
                try PromptSource($0, variant: variant)
            }
        }
        conditions = try Self.conditions(of: config, in: path)
        let count = config.conditions.classCount
        let names = try layout.index?.classNames(count: count) ?? config.classNames
        classes = ClassNames(
            names.isEmpty ? (0..<count).map(ClassNames.placeholder) : names,
            contentsPath: "\(path)/\(ClassContents.fileName)")
    }

    private static func conditions(of config: any NetworkConfiguration, in path: String) throws -> ConditionKind {
        let file = "\(path)/prompts.txt"
        guard let rules = config.conditions.promptRules, FileManager.default.fileExists(atPath: file) else {
            return config.conditions
        }
        return .prompts(rules.replacingExamples(by: try PromptList(path: file).prompts))
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

    /// What ties images to the model; reads the weights the first time, those of the text encoder too.
    public func reference() -> ImageRecord.Model {
        var conventions = conventions + CanonicalJSON.data(process)
        if let prompts { conventions += prompts.identity.utf8 }
        return ImageRecord.Model(
            name: name, hash: ModelHash.of(archive.files), configuration: SHA256.hexadecimal(conventions))
    }

    /// The same model for pictures of another size; nil for its own.
    ///
    /// - Throws: ``PipelineError/usage(_:)`` that says which sizes it can draw.
    public func sized(_ size: PictureSize?) throws(PipelineError) -> ModelDirectory {
        guard let size else { return self }
        var copy = self
        do throws(ConfigProblem) {
            copy.config = try config.sized(width: size.width, height: size.height)
        } catch {
            throw .usage("--width \(size.width) --height \(size.height): \(error)")
        }
        // The model's own size is not another one, so that its images are known again.
        copy.size = copy.latentShape == latentShape ? nil : size
        return copy
    }

    /// The same model, calibrated on other prompts than its examples.
    ///
    /// - Throws: ``PipelineError/usage(_:)`` where it takes no prompts.
    public func calibrated(on examples: PromptList) throws(PipelineError) -> ModelDirectory {
        guard let rules = conditions.promptRules else {
            throw .usage("--prompts: the model \(path) draws classes, not prompts")
        }
        var copy = self
        copy.conditions = .prompts(rules.replacingExamples(by: examples.prompts))
        return copy
    }

    /// How the model reads each of the prompts.
    ///
    /// - Throws: ``PipelineError/usage(_:)`` where it knows no word of one, ``ModelError`` where the tokenizer cannot be read.
    public func read(_ prompts: [String]) throws -> [PromptReading] {
        guard let source = self.prompts, let rules = conditions.promptRules, !prompts.isEmpty else { return [] }
        let tokenizer = try source.openTokenizer()
        return try prompts.map { prompt in
            let reading = PromptReading(
                prompt: prompt, tokenized: tokenizer.tokens(of: rules.text(of: prompt), limit: rules.tokens))
            let words = prompt.split(whereSeparator: \.isWhitespace)
            guard reading.tokenized.cutOff != nil || reading.tokenized.unknown.count < Set(words).count else {
                throw PipelineError.usage(
                    "the model knows no word of the prompt '\(prompt.prefix(60).description.onOneLine)'; "
                        + (tokenizer.wordList.map { "it knows those of \($0), in lower case" }
                            ?? "give one in the language that it has learned"))
            }
            return reading
        }
    }

    /// The shape of the latents.
    public var latentShape: LatentShape { config.latentShape }

    /// Loads the weights.
    ///
    /// - Parameters:
    ///   - prompts: what encodes prompts, for networks that take them.
    ///   - precision: how wide the numbers are in memory.
    ///   - engine: what prepares the weights, and multiplies by them.
    ///   - progress: called with the share that has been loaded, from 0 to 1.
    /// - Returns: the network.
    /// - Throws: ``ModelError``, ``SafetensorsError``, or ``MachineError`` where there is no OpenBLAS or too little memory.
    public func load(
        prompts: (any PromptEncoder)? = nil, precision: WeightPrecision = .float32,
        engine: any Engine = OpenBLASEngine(), progress: ((Double) -> Void)? = nil
    ) throws -> any DenoisingNetwork {
        try BLAS.open()
        return try config.load(
            from: archive, prompts: prompts, precision: precision, engine: engine, progress: progress)
    }
}

extension ModelDirectory {
    /// The same settings, going through their timesteps as the model's scheduler of diffusers does; as they are for a model
    /// without one.
    ///
    /// Settings that make the same images by either rule are left as they are, so that they are known again.
    public func followingScheduler(_ settings: SampleSettings) -> SampleSettings {
        guard recommendedSampler != nil else { return settings }
        var followed = settings
        // Making the sampler reports what does not fit the model.
        followed.sampler =
            (try? settings.sampler.following(.diffusers, process: process, steps: settings.steps)) ?? settings.sampler
        return followed
    }

    /// Why a run's images are not those of diffusers' scheduler for the same request; nil where they are, and for a model
    /// without a scheduler.
    public func departure(of settings: SampleSettings) -> String? {
        guard let own = recommendedSampler else { return nil }
        let sampler = settings.sampler
        let reason: String?
        if process.predictionType == .flow {
            reason =
                sampler == own
                ? nil
                : "it has no counterpart of sampler \(sampler.kind.rawValue) with \(sampler.spacing.rawValue) spacing"
        } else {
            reason = departure(of: sampler, from: own, steps: settings.steps)
        }
        return reason.map { "not the images of diffusers' scheduler: \($0)" }
    }

    private func departure(of sampler: SamplerOptions, from own: SamplerOptions, steps: Int) -> String? {
        let name = sampler.kind.rawValue
        let isAlongPath = sampler.kind == .euler || sampler.kind == .heun
        let isChanged = sampler.kind != own.kind
        let keepsEnd =
            !isChanged || (own.kind == .dpmSolver && sampler.kind == .euler)
            || (own.kind == .euler && sampler.kind == .dpmSolver)
        if sampler.spacing == .respaced { return "it has no respaced spacing" }
        if isAlongPath, sampler.spacing != .leading {
            return "its \(name) starts \(sampler.spacing.rawValue) spacing from noise of another scale"
        }
        if !isAlongPath, sampler.spacing == .trailing,
            TimestepSpacing.referenceOvershoots(steps, of: process.trainTimesteps)
        {
            return "by a rounding error it makes one step more of \(steps) steps with trailing spacing, to timestep -1"
        }
        if isAlongPath || sampler.kind == .dpmSolver, sampler.clip != nil { return "its \(name) does not clip" }
        if isChanged, [.ddim, .ddpm].contains(sampler.kind), ![.ddim, .ddpm].contains(own.kind), sampler.clip == nil {
            return "its \(name) clips unless its scheduler file says otherwise; --clip 1 does so here"
        }
        if !keepsEnd, sampler.end != .clean {
            return "its \(name) ends without noise unless its scheduler file says otherwise"
        }
        let followed = try? sampler.following(.diffusers, process: process, steps: steps)
        return followed == sampler
            ? nil : "it steps to other timesteps, and these settings come from an image or a plan that did not"
    }
}

extension SampleSettings {
    /// What a run with these settings will ask of a model.
    ///
    /// - Throws: ``SamplingError`` or ``PipelineError`` when the settings do not fit the model.
    public func schedule(for directory: ModelDirectory) throws -> RunSchedule {
        // Only its calls are looked at, so its scratch may be of one element.
        let sampler = try makeSampler(sampler, process: directory.process, steps: steps, shape: [])
        guard directory.config.hasVariance || !sampler.needsVariance else { throw SamplingError.noLearnedVariance }
        let guidance = try guidance
        try guidance.validate(for: directory.latentShape.dimensions)
        let branches = guidance.branches
        guard !branches.contains(.unconditional) || directory.hasNullClass else {
            throw PipelineError.usage("the model has no null class, so it cannot be guided; give --cfg-scale 1")
        }
        return RunSchedule(calls: sampler.calls, branches: branches)
    }

    /// The evaluations of the full run: model calls times guidance branches.
    ///
    /// - Throws: ``SamplingError`` or ``PipelineError`` when the settings do not fit the model.
    public func evaluations(for directory: ModelDirectory) throws -> Int {
        try schedule(for: directory).evaluations
    }
}
