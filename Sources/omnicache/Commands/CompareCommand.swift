import ArgumentParser
import OmniCache
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
            """)

    /// How many pairs are compared when no count is given.
    private static let defaultCount = 32
    /// The first pair's seed when none is given.
    private static let defaultSeed: UInt32 = 1000

    @OptionGroup(title: "Model options") var model: ModelOptions
    @OptionGroup(title: "Decoder options") var decoder: DecoderOptions
    @OptionGroup(title: "Image options") var subjects: ComparedSubjectOptions
    @OptionGroup(title: "Sampling options") var sampling: SamplingOptions
    @OptionGroup(title: "Run options") var execution: RunOptions

    @Option(help: ArgumentHelp("The strategies, separated by commas.", valueName: "list"))
    var strategies = "all"

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The shares of evaluations to spend, separated by commas.", valueName: "list"))
    var budgets = "0.5,0.33,0.2"

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
        Interruption.install()
        let log = Log(
            format: execution.log, isQuiet: execution.quiet, isVerbose: execution.verbose, keepsOutputFree: false)
        defer { log.finish() }
        let directory = try model.open()
        let settings = sampling.settings(over: directory.defaultSettings)
        let evaluations = try settings.evaluations(for: directory)
        guard let source = try directory.decoder(decoder.choice) else { throw directory.needsDecoder(instead: "") }
        let request = try ComparisonRequest(
            settings: settings, items: items(of: directory), strategies: StrategyCatalogue.strategies(strategies),
            budgets: budgetList(), measuresTime: timing)
        let files = try output.map { try ComparisonFiles(prefix: $0, replaces: force) }
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
        let result = try comparison.run { try tell($0, of: request, log: log) }
        try print(result.report, log: log)
        let command = Self.shellCommand(CommandLine.arguments)
        for path in try files?.write(result, classNames: directory.classes, command: command) ?? [] {
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

    private func budgetList() throws -> [Budget] {
        try budgets.split(separator: ",", omittingEmptySubsequences: false).map { text in
            guard let share = Double(text) else { throw PlanError.budgetOutOfRange(text.isEmpty ? "''" : String(text)) }
            return try Budget(share)
        }
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
            try Terminal.standardOutput.writeResult(report.table.plainText)
            log.message(report.legend)
        case .json:
            for row in report.rows { try Terminal.standardOutput.writeResult(row.line + "\n") }
        }
    }

    /// The command as it can be typed again.
    private static func shellCommand(_ arguments: [String]) -> String {
        (["omnicache"] + arguments.dropFirst()).map { argument in
            let plain = argument.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "-_=+:,./@%".utf8.contains(byte)
                }
            }
            return plain && !argument.isEmpty ? argument : "'\(argument.replacing("'", with: "'\\''"))'"
        }.joined(separator: " ")
    }
}
