import ArgumentParser
import Compute
import Models
import Pipeline

/// Which model.
struct ModelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The model: a directory with config.json and safetensors weights, or the name of an installed one.",
            discussion: "Default: the embedded model; the folder OMNICACHE_MODELS, if set, is searched instead.",
            valueName: "dir"))
    var model: String?

    @OptionGroup var variant: VariantOption

    @Option(
        help: ArgumentHelp(
            "How wide the weights are in memory; the images do not depend on it.",
            discussion: "float32 is fastest; stored keeps files of 16 bits at 16 bits, in half the memory."))
    var weightsPrecision: WeightPrecision = .float32

    /// Finds and opens the directory.
    func open() throws -> ModelDirectory {
        try ModelDirectory(path: ModelLocator().locate(model), variant: variant.variant)
    }
}

/// Which of the weights that a model comes in.
struct VariantOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The variant of the weights, such as fp16, in every part of the model that has it.",
            discussion: "Default: the plain weights, or the only variant that is there.", valueName: "name"))
    var variant: String?
}

extension WeightPrecision: ExpressibleByArgument {}

extension ModelSession {
    /// A session that reports to a log and stops at signals.
    ///
    /// - Parameters:
    ///   - directory: the model; nil to open that of the options.
    ///   - options: which model, and how wide its weights are in memory.
    ///   - workers: the threads to work with.
    ///   - log: where progress and messages go.
    /// - Throws: what opening the model throws.
    convenience init(directory: ModelDirectory? = nil, options: ModelOptions, workers: Workers, log: Log) throws {
        self.init(
            directory: try directory ?? options.open(), workers: workers, precision: options.weightsPrecision,
            checkpoint: { if Interruption.isPending { throw Interrupted(done: 0, total: 1) } },
            report: { event in
                switch event {
                case .message(let text): log.message(text)
                case .detail(let text): log.detail(text)
                case .progress(let share, let task): log.share(share, label: task)
                }
            })
    }
}
