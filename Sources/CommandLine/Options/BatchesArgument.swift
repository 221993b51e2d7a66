import ArgumentParser
import Pipeline

/// Finished batches that a command looks at instead of sampling.
struct BatchesArgument: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "Finished batches, by their directories or manifests; nothing is sampled.",
            discussion: "Manifests of one directory are one batch.", valueName: "batch"))
    var batches: [String] = []

    /// Reads their manifests.
    ///
    /// - Parameter given: the first option that says how to sample; nil if there is none.
    /// - Returns: the batches, in the order in which each is named first.
    /// - Throws: `PipelineError` when an option has no place beside batches, or their manifests are missing or damaged.
    func read(given: String?) throws(PipelineError) -> [FinishedBatch] {
        if let given {
            throw .usage("\(batches[0]) is finished, so that nothing is sampled; drop \(given)")
        }
        return try FinishedBatch.read(batches)
    }
}
