import ArgumentParser
import Evaluation
import Media
import Models
import Pipeline
import Reports
import Sampling

/// `omnicache analyze`: measures the trajectories of a model's runs, or finished batches.
struct AnalyzeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "analyze", abstract: "Measures the trajectories of a model's runs, as JSON, CSV and drawings.",
        discussion: """
            omnicache analyze --seed 1 -o analysis
            omnicache analyze --seed 1 --budget 0.5 -o half
            omnicache analyze --class face-smiling,food-fruit --count 8 --sampler heun -o heun

            Samples a few images without saving them, and measures their trajectories: length, turning and curvature, the \
            error from holding an output at each step and its spectrum, and how much every block changes. Each figure is \
            a mean over the images, with the standard deviation.

            PREFIX.json has all figures, PREFIX-steps.csv one row per model call, PREFIX-blocks.csv one row per block and \
            call. Five drawings show them over the steps: PREFIX-turning.svg, PREFIX-curvature.svg, PREFIX-path.svg, \
            PREFIX-blocks.svg and PREFIX-noise.svg. With --budget, --mask or --plan, they mark which steps the plan \
            evaluates; the runs themselves reuse nothing.

            Without --count, four images are sampled, or one of each given class if those are more.

            omnicache analyze set -o analysis
            omnicache analyze set/manifest-0-of-4.jsonl set/manifest-1-of-4.jsonl

            With finished batches, samples nothing: reports the evaluations, seconds, fine detail and contrast of each \
            image and class, and which images are missing. PREFIX.json has all figures, PREFIX-images.csv one row per \
            image, PREFIX-classes.csv one row per class. A table goes to standard error.
            """)

    /// The number of images when neither a count nor more classes are given.
    private static let defaultCount = 4

    @OptionGroup var finished: FinishedBatchesArgument
    @OptionGroup(title: "Model options") var model: ModelOptions
    @OptionGroup(title: "Image options") var subjects: SubjectOptions
    @OptionGroup(title: "Sampling options") var sampling: SamplingOptions
    @OptionGroup(title: "Cache options") var cache: CacheOptions
    @OptionGroup(title: "Run options") var execution: RunOptions

    @Option(
        help: ArgumentHelp("Mark this plan of 'omnicache plan', and use the settings stored in it.", valueName: "file"))
    var plan: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("The beginning of the paths of all files.", valueName: "prefix"))
    var output = "analysis"

    @Flag(help: "Overwrite existing files.")
    var force = false

    func run() throws {
        let log = execution.begin()
        defer { log.finish() }
        guard finished.batches.isEmpty else { return try analyzeBatches(log: log) }
        let source = try ReuseSource(plan: plan, options: cache)
        let directory = try model.open(takesPrompts: subjects.shown.givesPrompts, size: source.settings?.size)
        let settings = try sampling.settings(
            over: (source.settings ?? directory.defaultSettings).computed(
                by: model.engine.arithmetic(over: source.settings?.arithmetic ?? .standard, log: log)), of: directory)
        log.warn(of: settings, on: directory)
        let schedule = try settings.schedule(for: directory)
        let conditions = try subjects.shown.conditions(of: directory)
        let work = try WorkList(
            seed: subjects.seed ?? UInt32.random(in: 0...UInt32.max >> 1),
            count: subjects.count ?? max(conditions?.count ?? 0, Self.defaultCount), conditions: conditions,
            negative: subjects.shown.negative(), of: directory.conditions)
        try log.warn(ofPrompts: work.items, on: directory)
        let files = try TrajectoryReport.files(prefix: output, replaces: force)
        let session = try ModelSession(
            directory: directory, options: model, arithmetic: settings.arithmetic, workers: execution.workers(),
            log: log)
        if !execution.dryRun { try files.check() }
        let calibration = session.calibration(for: settings, makes: !execution.dryRun)
        let reuse: ReuseRecord?
        do {
            reuse = try source.settled(
                in: session, settings: settings, calibration: calibration, decoder: directory.decoder(.own)
            ).resolve(
                model: directory.reference(), settings: settings, schedule: schedule, like: nil,
                calibration: calibration)
        } catch let missing as MissingCalibration {
            log.message("\(missing)")
            reuse = nil
        }
        if execution.dryRun {
            return try DryRun(
                settings: settings, images: work.items.count, evaluations: schedule.evaluations,
                evaluationsFull: schedule.evaluations, files: files.paths
            ).print(format: execution.log)
        }
        if subjects.seed == nil { log.message("seed \(work.items[0].seed)") }
        if subjects.count == nil, work.items.count > conditions?.count ?? 0 {
            let shown = directory.conditions.promptRules == nil ? "classes" : "prompts"
            log.message(
                "\(work.items.count) images of \(conditions == nil ? "random" : "the given") \(shown); --count sets another "
                    + "number")
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

    /// Runs one image's steps; stops between two steps if there was a signal.
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

// MARK: - Finished batches

extension AnalyzeCommand {
    /// The first option given that says how to sample; nil if there is none.
    private var samplingOption: String? {
        let options = [
            ("--\(subjects.shown.given ?? "")", subjects.shown.given != nil), ("--count", subjects.count != nil),
            ("--seed", subjects.seed != nil),
            ("--plan", plan != nil), ("--model", model.model != nil),
        ]
        return options.first { $0.1 }?.0 ?? cache.given ?? sampling.given
    }

    /// Reports the cost and the image statistics of finished batches.
    private func analyzeBatches(log: Log) throws {
        let batches = try finished.read(given: samplingOption)
        let files = try BatchAnalysis.files(prefix: output, replaces: force)
        if execution.dryRun {
            return try DryRun(batches, files: files.paths).print(format: execution.log)
        }
        try files.check()
        let total = batches.reduce(0) { $0 + $1.lines.count }
        let analysis = try BatchAnalysis(batches, workers: execution.workers()) { done in
            if Interruption.isPending { throw Interrupted(done: done, total: total, again: "start over") }
            log.share(Double(done) / Double(total), label: "image \(done) of \(total)")
        }
        log.finish()
        if execution.log == .text { log.message(analysis.table.plainText + analysis.legend) }
        for path in try files.write(analysis) { try log.result(Log.Event(event: "file", file: path)) }
    }
}
