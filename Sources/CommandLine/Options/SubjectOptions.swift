import ArgumentParser

/// Which images are sampled. Every option is optional, so that those of an image given by `--like` can be kept.
struct SubjectOptions: ParsableArguments {
    @Option(
        name: .customLong("class"),
        help: ArgumentHelp(
            "Classes by name or number, separated by commas, or 'all'. The images go through them in turn.",
            discussion: "Default: each seed draws a class.", valueName: "list"))
    var classes: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many images to sample. Default: 1, or one of each given class.", valueName: "n"))
    var count: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The seed of the first image, below 2^32; image i has seed + i. Default: random, printed and stored.",
            valueName: "n"))
    var seed: UInt32?
}

/// Which images are compared: the same options with defaults that make comparisons repeatable.
struct ComparedSubjectOptions: ParsableArguments {
    @Option(
        name: .customLong("class"),
        help: ArgumentHelp(
            "Classes by name or number, separated by commas, or 'all'. The images go through them in turn.",
            discussion: "Default: spread evenly over all classes.", valueName: "list"))
    var classes: String?

    @Option(
        parsing: .unconditional, help: ArgumentHelp("How many images to compare. Default: 32.", valueName: "n"))
    var count: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The seed of the first image, below 2^32; image i has seed + i. Default: 1000.", valueName: "n"))
    var seed: UInt32?
}
