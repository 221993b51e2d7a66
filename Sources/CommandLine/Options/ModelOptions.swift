import ArgumentParser
import Compute
import Models
import Pipeline

/// Which model, and how its weights are held.
struct ModelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The model: a directory with config.json and safetensors weights, or the name of an installed model.",
            discussion:
                "Default: the embedded model. OMNICACHE_MODELS, if set, names the folder of the installed models.",
            valueName: "dir"))
    var model: String?

    @OptionGroup var variant: VariantOption

    @Option(
        help: ArgumentHelp(
            "The precision of the weights in memory; this does not change the images.",
            discussion: "float32 is fastest. stored keeps 16-bit weights at 16 bits, in half the memory."))
    var weightsPrecision: WeightPrecision = .float32

    @OptionGroup var engine: EngineOptions

    @Option(
        help: ArgumentHelp(
            "The directory of a T5 text encoder and its tokenizer. Default: those of the model.", valueName: "dir"))
    var textEncoder: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The width of the pictures, with --height, for models that draw several sizes. Default: the model's own.",
            valueName: "pixels"))
    var width: Int?

    @Option(parsing: .unconditional, help: ArgumentHelp("The height of the pictures.", valueName: "pixels"))
    var height: Int?

    /// Finds and opens the directory.
    ///
    /// - Parameters:
    ///   - takesPrompts: whether the embedded model, if it is the one, is that of prompts.
    ///   - name: the installed model to take where the options give none; the embedded one if there is none of that name.
    ///   - size: the size of the pictures where the options give none.
    /// - Returns: the directory.
    /// - Throws: what opening it throws, and `PipelineError.usage` for a size that the model cannot draw.
    func open(
        takesPrompts: Bool = false, named name: String? = nil, size: PictureSize? = nil
    ) throws -> ModelDirectory {
        let given: PictureSize?
        switch (width, height) {
        case (let width?, let height?): given = PictureSize(width: width, height: height)
        case (nil, nil): given = size
        default: throw PipelineError.usage("--width and --height belong together; give both")
        }
        let locator = ModelLocator()
        let installed = model == nil ? name.flatMap(locator.installed) : nil
        return try ModelDirectory(
            path: installed ?? locator.locate(model, takesPrompts: takesPrompts), variant: variant.variant,
            textEncoder: textEncoder
        ).sized(given)
    }
}

/// Which variant of a model's weights.
struct VariantOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The variant of the weights, such as fp16, of every part of the model that has it.",
            discussion: "Default: the weights without a variant, or the only variant.", valueName: "name"))
    var variant: String?
}

/// What decodes latents into pictures.
struct DecoderOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What decodes latents into pictures: vae, tiny, or the directory of an AutoencoderKL or AutoencoderTiny.",
            discussion: "Default: vae, the model's own. Pixel models need none.", valueName: "name"))
    var decoder: String?

    /// The decoder that was asked for.
    var choice: DecoderChoice {
        switch decoder {
        case nil, "vae": .own
        case "tiny": .tiny
        case let directory?: .directory(directory)
        }
    }
}

extension WeightPrecision: ExpressibleByArgument {}

extension ModelSession {
    /// A session that reports to a log and stops at signals.
    ///
    /// - Parameters:
    ///   - directory: the model; nil to open that of the options.
    ///   - options: which model, and how wide its weights are in memory.
    ///   - arithmetic: what multiplies, and how precisely.
    ///   - workers: the threads to work with.
    ///   - log: where progress and messages go.
    /// - Throws: what opening the model throws.
    convenience init(
        directory: ModelDirectory? = nil, options: ModelOptions, arithmetic: Arithmetic, workers: Workers, log: Log
    ) throws {
        self.init(
            directory: try directory ?? options.open(), workers: workers, precision: options.weightsPrecision,
            arithmetic: arithmetic, checkpoint: { if Interruption.isPending { throw Interrupted.early } },
            report: { event in
                switch event {
                case .message(let text): log.message(text)
                case .detail(let text): log.detail(text)
                case .progress(let share, let task): log.share(share, label: task)
                }
            })
    }
}
