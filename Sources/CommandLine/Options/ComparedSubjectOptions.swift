import ArgumentParser

/// Which images are compared.
struct ComparedSubjectOptions: ParsableArguments {
    @Option(
        name: .customLong("class"),
        help: ArgumentHelp(
            "Classes by name or number, separated by commas, or 'all'; image i takes the i-th, over and over.",
            discussion: "Default: spread evenly over all.", valueName: "list"))
    var classes: String?

    @Option(
        parsing: .unconditional, help: ArgumentHelp("How many images in all. Default: 32.", valueName: "n"))
    var count: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The seed of the first image, below 2^32; image i has this plus i. Default: 1000.", valueName: "n"))
    var seed: UInt32?
}
