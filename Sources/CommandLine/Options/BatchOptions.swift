import ArgumentParser
import Pipeline
import Reports

/// How many images are made at a time, and which part of them.
struct BatchOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Make the images that this file lists: JSON objects, or a table (CSV, ';' or tabs) under a line of names.",
            discussion: """
                A line may have class, seed, and any sampling or cache option by its name without the dashes; what it \
                leaves out is as on the command line. The paths are {index}.png unless --output says otherwise.
                """, valueName: "file"))
    var batch: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Make one image in n: of n shards, numbered from 0, the i-th; together they make all.", valueName: "i/n"))
    var shard: String?

    @Flag(help: "Write manifest-i-of-n.jsonl and run.json beside the images, as --batch and --shard do.")
    var manifest = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How many images are made at a time; they do not depend on it. Default: what is fastest and fits the memory.",
            valueName: "n"))
    var inFlight: Int?

    /// Whether the run writes a manifest of its images.
    var keepsManifest: Bool { batch != nil || shard != nil || manifest }

    /// The part of the list that is made.
    func part() throws(PipelineError) -> Shard {
        guard let shard else { return .whole }
        return try Shard(shard)
    }
}

/// What a line of a batch's file may say beside class and seed.
struct BatchItemOptions: ParsableArguments {
    @OptionGroup var sampling: SamplingOptions
    @OptionGroup var cache: CacheOptions

    /// The names of all options, without the dashes, as the help lists them.
    static let names: Set<String> = {
        let lines = helpMessage(columns: 200).split(separator: "\n").filter { $0.hasPrefix("  -") }
        let words = lines.flatMap { $0.split { " ,/".contains($0) }.filter { $0.hasPrefix("--") } }
        return Set(words.map { String($0.dropFirst(2)) }).subtracting(["help"])
    }()
}
