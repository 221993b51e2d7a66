import ArgumentParser
import Evaluation
import Media
import Models
import Pipeline
import Reports
import Sampling

/// `omnicache analyze`: measures how a model's runs move.
struct AnalyzeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "analyze", abstract: "Measures how a model's runs move, as JSON, CSV and pictures.",
        discussion: """
            omnicache analyze --seed 1 -o analysis
            omnicache analyze --seed 1 --budget 0.5 -o half
            omnicache analyze --class face-smiling,food-fruit --count 8 --sampler heun -o heun

            Samples a few images without keeping them and writes what was seen on the way: the length, the turning and \
            the curvature of the path, what holding an output would bring in at each step and how that noise is spread \
            over the frequencies, and how much every block changes. Each number is a mean over the images with the \
            standard deviation between them.

            PREFIX.json holds all of it, PREFIX-steps.csv one row per model call, PREFIX-blocks.csv one row per block \
            and call. Five pictures are drawn: PREFIX-turning.svg and PREFIX-curvature.svg over the steps, \
            PREFIX-path.svg from three sides, PREFIX-blocks.svg and PREFIX-noise.svg as colours, steps across. With a \
            plan (--budget, --mask, --plan) they mark its full and reused steps; the runs themselves reuse nothing.

            Without --count, four images are looked at, or one of each class given if those are more.

            omnicache analyze set -o analysis
            omnicache analyze set/manifest-0-of-4.jsonl set/manifest-1-of-4.jsonl

            With finished batches, tells what they have cost and hold, and samples nothing: evaluations, seconds, fine \
            detail and contrast of each image and class, and what is missing of the list. PREFIX.json holds all of it, \
            PREFIX-images.csv one row per image, PREFIX-classes.csv one row per class; standard error has a table.
            """)

    /// How many images are looked at when neither a count nor more classes are given.
    private static let defaultCount = 4

    @OptionGroup var finished: BatchesArgument
    @OptionGroup(title: "Model options") var model: ModelOptions
    @OptionGroup(title: "Image options") var subjects: SubjectOptions
    @OptionGroup(title: "Sampling options") var sampling: SamplingOptions
    @OptionGroup(title: "Cache options") var cache: CacheOptions
    @OptionGroup(title: "Run options") var execution: RunOptions

    @Option(
        help: ArgumentHelp("Mark this file of 'omnicache plan', with the settings that it is for.", valueName: "file"))
    var plan: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("What the paths of all files begin with.", valueName: "prefix"))
    var output = "analysis"

    @Flag(help: "Replace files that stand in the way.")
    var force = false

    func run() throws {
        let log = execution.begin()
        defer { log.finish() }
        guard finished.batches.isEmpty else { return try analyzeBatches(log: log) }
        let directory = try model.open()
        let source = try ReuseSource(plan: plan, options: cache)
        let settings = sampling.settings(over: source.settings ?? directory.defaultSettings, of: directory)
        log.warn(of: settings, on: directory)
        let schedule = try settings.schedule(for: directory)
        let classes = try subjects.classes.map(directory.classes.resolve)
        let work = try WorkList(
            seed: subjects.seed ?? UInt32.random(in: 0...UInt32.max >> 1),
            count: subjects.count ?? max(classes?.count ?? 0, Self.defaultCount), classes: classes,
            classCount: directory.classes.count)
        let files = try TrajectoryReport.files(prefix: output, replaces: force)
        let session = try ModelSession(
            directory: directory, options: model, workers: execution.workers(), log: log)
        if !execution.dryRun { try files.check() }
        let reuse = try source.resolve(
            model: directory.reference(), settings: settings, schedule: schedule, like: nil,
            calibration: session.calibration(for: settings, makes: !execution.dryRun))
        if execution.dryRun {
            try DryRun(
                settings: settings, images: work.items.count, evaluations: schedule.evaluations, files: files.paths
            ).print(format: execution.log)
            return
        }
        if subjects.seed == nil { log.message("seed \(work.items[0].seed)") }
        if subjects.count == nil, work.items.count > classes?.count ?? 0 {
            log.message(
                "\(work.items.count) images, of \(classes == nil ? "classes drawn by their seeds" : "the given classes")"
                    + "; --count changes that")
        }
        let analysis = try TrajectoryAnalysis(
            directory: directory, network: session.network(), settings: settings, workers: session.workers)
        let report = try WeightFiles.blamed {
            for index in work.items.indices { try observe(index, of: work.items, with: analysis, log: log) }
            return try analysis.report()
        }
        for path in try files.write((report, TrajectoryDrawings(of: report, marking: reuse))) {
            try log.result(Log.Event(event: "file", file: path))
        }
    }

    /// Runs one image's steps; stops between two of them when a signal has come.
    private func observe(
        _ index: Int, of items: [SampleItem], with analysis: TrajectoryAnalysis, log: Log
    ) throws {
        var run = try analysis.start(items[index])
        while let step = try run.next() {
            if Interruption.isPending { throw Interrupted(done: index, total: items.count, again: "start over") }
            let event = Log.Event(
                event: "step", image: index, images: items.count, step: step.index, steps: step.count,
                timestep: step.timestep)
            log.step(event, share: (Double(index) + Double(step.index + 1) / Double(step.count)) / Double(items.count))
        }
    }
}
