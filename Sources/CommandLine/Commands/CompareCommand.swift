import ArgumentParser
import Caching
import Compute
import Evaluation
import Media
import Models
import Pipeline
import Sampling

/// `omnicache compare`: compares strategies on the same images at the same budgets.
struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Compares strategies with the uncached model, at equal budgets.",
        discussion: """
            omnicache compare --strategies default,peers
            omnicache compare --budgets 0.5,0.4,0.33,0.25,0.2 --strategies all -o comparison

            Samples the same images uncached and with every strategy at every budget, and prints a table. It leads with \
            the PSNR that one image in twenty is below, and with flips: images below \(Int(ImageMetrics.flipBound)) dB. \
            Fewer steps of the same sampler, and of dpm++2m, are always included.

            A strategy is default, PLANNER+FORECASTER, a published one (fora, smoothcache, teacache, ...), fewer-steps or \
            fewer-steps:SAMPLER. own, peers, sceptics and all are groups of strategies; flows are those that only a flow \
            can use. Wins, in the files, are those of the first one.

            omnicache compare full half -o comparison
            omnicache compare full/manifest-0-of-4.jsonl half/manifest-0-of-4.jsonl

            With finished batches, samples nothing: compares each image of the first batch with the same image of the \
            others. Quality comes from the 8-bit files, time and evaluations from the manifests. All batches must have \
            the same classes and seeds, and every file must be the one in its manifest.
            """)

    /// The number of pairs when no count is given.
    private static let defaultCount = 32
    /// The budgets when none are given.
    private static let defaultBudgets = "0.5,0.33,0.2"
    /// The first pair's seed when none is given.
    private static let defaultSeed: UInt32 = 1000

    @OptionGroup var finished: FinishedBatchesArgument
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

    @Option(
        help: ArgumentHelp(
            "Also try everything in these precisions, separated by commas, such as float32,bfloat16,int8.",
            discussion: "Images are always compared with the uncached ones of OpenBLAS in float32.", valueName: "list"))
    var precisions: String?

    @Flag(inversion: .prefixedNo, help: "Measure the time of the runs.")
    var timing = true

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Write PREFIX.json, with all figures of each pair, and PREFIX.html, a report with pictures.",
            valueName: "prefix"))
    var output: String?

    @Flag(help: "Overwrite existing files.")
    var force = false

    func run() throws {
        let log = execution.begin()
        defer { log.finish() }
        guard finished.batches.isEmpty else { return try compareBatches(log: log) }
        let directory = try model.open(takesPrompts: subjects.shown.givesPrompts)
        let settings = try sampling.settings(
            over: directory.defaultSettings.computed(by: model.engine.arithmetic(log: log)), of: directory)
        log.warn(of: settings, on: directory)
        let evaluations = try settings.evaluations(for: directory)
        let others = try otherArithmetics(settings)
        guard let source = try directory.decoder(decoder.choice) else { throw directory.needsDecoder(instead: "") }
        let request = try ComparisonRequest(
            settings: settings, items: items(of: directory),
            strategies: StrategyCatalogue.strategies(strategies ?? "all"),
            budgets: Budget.list(budgets ?? Self.defaultBudgets), measuresTime: timing)
        try log.warn(ofPrompts: request.items, on: directory)
        let files = try output.map { try Comparison.files(prefix: $0, replaces: force) }
        let session = try ModelSession(
            directory: directory, options: model, arithmetic: settings.arithmetic, workers: execution.workers(),
            log: log)
        if execution.dryRun {
            return try DryRun(request, evaluationsFull: evaluations, files: files?.paths ?? [])
                .print(format: execution.log)
        }
        try files?.check()
        let comparison = try Comparison(
            directory: directory, network: session.network(), decoder: session.load(source), workers: session.workers,
            request: request, calibration: session.calibration(for: settings, makes: true),
            others: try others.map { try other($0, directory: directory, settings: settings, log: log) })
        let result = try WeightFiles.blamed { try comparison.run { try tell($0, of: request, log: log) } }
        try WeightFiles.checkUnchanged()
        try print(result.report, log: log)
        for path in try files?.write((result, directory.classes, Arguments.command)) ?? [] {
            try log.result(Log.Event(event: "file", file: path))
        }
    }

    /// What to compute with besides the settings' own, of which the uncached images are.
    private func otherArithmetics(_ settings: SampleSettings) throws -> [Arithmetic] {
        guard let precisions else { return [] }
        guard settings.arithmetic == .standard else {
            throw PipelineError.usage("--precisions compares with OpenBLAS in float32; drop --engine and --precision")
        }
        return try precisions.split(separator: ",", omittingEmptySubsequences: false).compactMap { name in
            guard let precision = Precision(rawValue: String(name)) else {
                throw PipelineError.usage(
                    "--precisions \(precisions): '\(name)' is not one of "
                        + Precision.allCases.map(\.rawValue).joined(separator: ", "))
            }
            let arithmetic = Arithmetic(precision)
            _ = try arithmetic.open()
            return arithmetic == .standard ? nil : arithmetic
        }
    }

    /// The model in another precision.
    private func other(
        _ arithmetic: Arithmetic, directory: ModelDirectory, settings: SampleSettings, log: Log
    ) throws -> Comparison.Other {
        let session = try ModelSession(
            directory: directory, options: model, arithmetic: arithmetic, workers: execution.workers(), log: log)
        return Comparison.Other(
            arithmetic: arithmetic, network: try session.network(),
            calibration: session.calibration(for: settings.computed(by: arithmetic), makes: true))
    }

    /// The images. Without `--class` or `--prompt`, they are spread over all of the model's classes or example prompts.
    private func items(of directory: ModelDirectory) throws -> [SampleItem] {
        let (seed, count) = (subjects.seed ?? Self.defaultSeed, subjects.count ?? Self.defaultCount)
        let negative = try subjects.shown.negative()
        guard let conditions = try subjects.shown.conditions(of: directory) else {
            return try WorkList.spread(seed: seed, count: count, negative: negative, of: directory.conditions).items
        }
        return try WorkList(
            seed: seed, count: count, conditions: conditions, negative: negative, of: directory.conditions
        ).items
    }

    /// Reports progress; stops the work if there was a signal.
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

// MARK: - Finished batches

extension CompareCommand {
    /// The first option given that says how to sample; nil if there is none.
    private var samplingOption: String? {
        let options = [
            ("--\(subjects.shown.given ?? "")", subjects.shown.given != nil), ("--count", subjects.count != nil),
            ("--seed", subjects.seed != nil),
            ("--strategies", strategies != nil), ("--budgets", budgets != nil), ("--decoder", decoder.decoder != nil),
            ("--model", model.model != nil),
        ]
        return options.first { $0.1 }?.0 ?? sampling.given
    }

    /// Compares the files of finished batches.
    private func compareBatches(log: Log) throws {
        let batches = try finished.read(given: samplingOption)
        let comparison = try BatchComparison(batches, measuresTime: timing)
        let files = try output.map { try BatchComparison.files(prefix: $0, replaces: force) }
        if execution.dryRun {
            return try DryRun(batches, files: files?.paths ?? []).print(format: execution.log)
        }
        try files?.check()
        let total = comparison.imageCount
        let result = try comparison.run(workers: execution.workers()) { done in
            if Interruption.isPending { throw Interrupted(done: done, total: total, again: "start over") }
            log.share(Double(done) / Double(total), label: "image \(done) of \(total)")
        }
        log.finish()
        if !result.report.isWhole {
            log.message(
                "\(result.report.extent) are compared; the manifests list no more. To compare the rest, finish the batches and "
                    + "give all manifests")
        }
        switch execution.log {
        case .text:
            try Terminal.standardOutput.writeResult(result.report.table.plainText.onItsLines)
            log.message(result.report.legend)
        case .json:
            for line in result.report.lines { try Terminal.standardOutput.writeAll(line) }
        }
        for path in try files?.write((result, Arguments.command)) ?? [] {
            try log.result(Log.Event(event: "file", file: path))
        }
    }
}
