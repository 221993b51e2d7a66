import ArgumentParser
import Pipeline

/// Which model.
struct ModelOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The model: a directory with config.json and safetensors weights, or the name of an installed one.",
            discussion: "Default: the embedded model; the folder OMNICACHE_MODELS, if set, is searched instead.",
            valueName: "dir"))
    var model: String?

    /// Finds and opens the directory.
    func open() throws -> ModelDirectory {
        try ModelDirectory(path: ModelLocator().locate(model))
    }
}
