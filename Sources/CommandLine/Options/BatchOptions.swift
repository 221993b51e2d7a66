import ArgumentParser
import Pipeline

/// How many images are sampled at the same time, and which part of them.
struct BatchOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Sample the images that this file lists: JSON objects, or a table (separated by commas, semicolons or tabs) "
                + "with a line of column names.",
            discussion: """
                Each image can set class, prompt, negative-prompt, seed, and any sampling or cache option by its name \
                without the dashes. The command line sets the rest. The default of --output becomes {index}.png. With '-', \
                JSON objects are read from standard input, one on each line, and each is answered with a line of JSON once \
                its image is there.
                """, valueName: "file"))
    var batch: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Sample shard i of n, counted from 0: every n-th image. All shards together make the whole list.",
            valueName: "i/n"))
    var shard: String?

    @Flag(help: "Write run.json and manifest-i-of-n.jsonl beside the images. --batch and --shard imply this.")
    var manifest = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How many images to sample at the same time; this does not change them. Default: as many as are fastest and "
                + "fit in memory.",
            valueName: "n"))
    var inFlight: Int?

    /// Whether images are asked for on standard input.
    var answersRequests: Bool { batch == "-" }

    /// Whether the run writes a manifest.
    var keepsManifest: Bool { batch != nil || shard != nil || manifest }

    /// The part of the list that is sampled.
    func part() throws(PipelineError) -> Shard {
        guard let shard else { return .whole }
        return try Shard(shard)
    }
}

/// What an image of a `--batch` file may set beside class and seed.
struct BatchItemOptions: ParsableArguments {
    @OptionGroup var sampling: SamplingOptions
    @OptionGroup var cache: CacheOptions

    /// The names of all options, without the dashes, taken from the help text.
    static let names: Set<String> = {
        // An option is a line of its names, then two spaces and what it does, which may speak of other options.
        let lines = helpMessage(columns: 200).split(separator: "\n").filter { $0.hasPrefix("  -") }
        let labels = lines.map { $0.dropFirst(2) }.map { $0[..<($0.firstRange(of: "  ")?.lowerBound ?? $0.endIndex)] }
        let words = labels.flatMap { $0.split { " ,/".contains($0) }.filter { $0.hasPrefix("--") } }
        return Set(words.map { String($0.dropFirst(2)) }).subtracting(["help"])
    }()
}

/// Finished batches that a command reads instead of sampling.
struct FinishedBatchesArgument: ParsableArguments {
    @Argument(
        help: ArgumentHelp(
            "Directories or manifests of finished batches. They are read; nothing is sampled.",
            discussion: "Several manifests in one directory are one batch.", valueName: "batch"))
    var batches: [String] = []

    /// Reads the manifests.
    ///
    /// - Parameter given: the first option that says how to sample; nil if there is none.
    /// - Returns: the batches, in the order in which they are first named.
    /// - Throws: `PipelineError` when a sampling option is given too, or a manifest is missing or damaged.
    func read(given: String?) throws(PipelineError) -> [FinishedBatch] {
        if let given {
            throw .usage("\(batches[0]) is a finished batch, and nothing is sampled; drop \(given)")
        }
        return try FinishedBatch.read(batches)
    }
}
