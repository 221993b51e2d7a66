import ArgumentParser
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

    @Option(
        help: ArgumentHelp(
            "How wide the weights are in memory; the images do not depend on it.",
            discussion: "float32 is fastest; stored keeps files of 16 bits at 16 bits, in half the memory."))
    var weightsPrecision: WeightPrecision = .float32

    /// Finds and opens the directory.
    func open() throws -> ModelDirectory {
        try ModelDirectory(path: ModelLocator().locate(model))
    }
}

extension WeightPrecision: ExpressibleByArgument {}
