import ArgumentParser

/// Which images are made. Every option is optional, so that those of an image given by `--like` can be kept.
struct SubjectOptions: ParsableArguments {
    @Option(
        name: .customLong("class"),
        help: ArgumentHelp(
            "Classes by name or number, separated by commas, or 'all'; image i takes the i-th, over and over.",
            discussion: "Default: a class drawn by the seed.", valueName: "list"))
    var classes: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many images in all. Default: 1, or one of each class given.", valueName: "n"))
    var count: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The seed of the first image, below 2^32; image i has this plus i. Default: drawn, printed and stored.",
            valueName: "n"))
    var seed: UInt32?
}
