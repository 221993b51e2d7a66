import ArgumentParser

/// What a budget is a budget of.
enum BudgetSpan: String, ExpressibleByArgument, CaseIterable {
    /// Every image.
    case image
    /// The mean over many images, of which hard ones get more and all others less.
    case batch
}

/// Whether images choose what they spend.
struct GuardOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Whether every image spends the budget, or a batch of them on average.",
            discussion: """
                With batch, images that are hard to keep get more evaluations, and all others fewer. Each is judged by its \
                first steps alone, against what 'calibrate --guard' has measured: neither order nor --shard matters. So the \
                mean is the budget over many images, not over a few.
                """))
    var budgetOver = BudgetSpan.image
}
