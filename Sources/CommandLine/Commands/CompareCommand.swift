import ArgumentParser
import Caching
import Evaluation
import Media
import Models
import Pipeline
import Sampling

/// `omnicache compare`: strategies side by side, on the same images at the same budgets.
struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Compares strategies at equal budgets with the uncached model.",
        discussion: """
            omnicache compare --strategies path+steering,peers
            omnicache compare --budgets 0.5,0.4,0.33,0.25,0.2 --strategies all -o comparison

            Samples the same images uncached and under every strategy at every budget, one after another, and prints a \
            table. Plain sampling with fewer steps of the same sampler, and of dpm++2m, is always part of it.

            A strategy is one that others have published (fora, smoothcache, teacache, ...), PLANNER+FORECASTER, \
            fewer-steps or fewer-steps:SAMPLER; own, peers, sceptics and all stand for several. Wins are counted for the first.

            omnicache compare full half -o comparison
            omnicache compare full/manifest-0-of-4.jsonl half/manifest-0-of-4.jsonl

            With finished batches, compares the images of the first with those of the others, place by place, and \
            samples nothing: quality by the files of 8 bits, time and evaluations by the manifests. All batches have to \
            be of one list of classes and seeds, and every file the one that its manifest lists.
            """)

    /// How many pairs are compared when no count is given.
    private static let defaultCount = 32
    /// The budgets when none are given.
    private static let defaultBudgets = "0.5,0.33,0.2"
    /// The first pair's seed when none is given.
    private static let defaultSeed: UInt32 = 1000

    @OptionGroup var finished: BatchesArgument
    @OptionGroup(title: "Model options") var model: ModelOptions
    @OptionGroup(title: "Decoder options") var decoder: DecoderOptions
    @OptionGroup(title: "Image options") var subjects: ComparedSubjectOptions
    @OptionGroup(title: "Sampling options") var sampling: SamplingOptions
    @OptionGroup(title: "Run options") var execution: RunOptions

    @Option(help: ArgumentHelp("The strategies, separated by commas. Default: all.", valueName: "list"))
    var strategies: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The shares of evaluations to spend, separated by commas. Default: \(Self.defaultBudgets).",
            valueName: "list"))
    var budgets: String?

    @Flag(inversion: .prefixedNo, help: "Tell the time of the runs.")
    var timing = true

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Write PREFIX.json, with every figure of every pair, and PREFIX.html, a report with pictures.",
            valueName: "prefix"))
    var output: String?

    @Flag(help: "Replace files that stand in the way.")
    var force = false

    func run() throws {
        let log = execution.begin()
        defer { log.finish() }
        guard finished.batches.isEmpty else { return try compareBatches(log: log) }
        let directory = try model.open()
        let settings = sampling.settings(over: directory.defaultSettings, of: directory)
        log.warn(of: settings, on: directory)
        let evaluations = try settings.evaluations(for: directory)
        guard let source = try directory.decoder(decoder.choice) else { throw directory.needsDecoder(instead: "") }
        let request = try ComparisonRequest(
            settings: settings, items: items(of: directory),
            strategies: StrategyCatalogue.strategies(strategies ?? "all"),
            budgets: Budget.list(budgets ?? Self.defaultBudgets), measuresTime: timing)
        let files = try output.map { try Comparison.files(prefix: $0, replaces: force) }
        let session = try ModelSession(
            directory: directory, options: model, workers: execution.workers(), log: log)
        if execution.dryRun {
            try ComparisonDryRun(request: request, evaluationsFull: evaluations, files: files?.paths ?? [])
                .print(format: execution.log)
            return
        }
        try files?.check()
        let comparison = try Comparison(
            directory: directory, network: session.network(), decoder: session.load(source), workers: session.workers,
            request: request, calibration: session.calibration(for: settings, makes: true))
        let result = try WeightFiles.blamed { try comparison.run { try tell($0, of: request, log: log) } }
        try WeightFiles.checkUnchanged()
        try print(result.report, log: log)
        for path in try files?.write((result, directory.classes, ShellCommand.present)) ?? [] {
            try log.result(Log.Event(event: "file", file: path))
        }
    }

    /// The images: those asked for, their classes spread over all of the model's where none are given.
    private func items(of directory: ModelDirectory) throws -> [SampleItem] {
        let (seed, count) = (subjects.seed ?? Self.defaultSeed, subjects.count ?? Self.defaultCount)
        let total = directory.classes.count
        guard let classes = subjects.classes else {
            return try WorkList.spread(seed: seed, count: count, classCount: total).items
        }
        return try WorkList(
            seed: seed, count: count, classes: directory.classes.resolve(classes), classCount: total
        ).items
    }

    /// Shows how far the work has come; stops it when a signal has come.
    private func tell(_ progress: Comparison.Progress, of request: ComparisonRequest, log: Log) throws {
        let images = request.items.count
        if Interruption.isPending {
            throw Interrupted(done: progress.pair ?? 0, total: images, again: "start over")
        }
        log.run(
            Log.Event(
                event: progress.pair == nil ? "prepare" : "run", image: progress.pair, images: images,
                strategy: progress.strategy, budget: progress.budget?.share),
            share: progress.share, isDone: progress.isDone)
    }

    /// Prints the table.
    private func print(_ report: ComparisonReport, log: Log) throws {
        log.finish()
        switch execution.log {
        case .text:
            try Terminal.standardOutput.writeResult(report.table.plainText.onItsLines)
            log.message(report.legend)
        case .json:
            for row in report.rows { try Terminal.standardOutput.writeResult(row.line + "\n") }
        }
    }
}
