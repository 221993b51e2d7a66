import ArgumentParser
import Caching
import Models
import Pipeline

/// `omnicache calibrate`: measures full runs for planners and forecasters.
struct CalibrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "calibrate", abstract: "Measures a few full runs, and fits forecasters to them.",
        discussion: """
            omnicache calibrate --budget 0.5
            omnicache calibrate --sampler dpm++2m --steps 30 --budget 0.5,0.33

            Samples a few images in full, and some again with half of their outputs held. Then it tries plans and \
            forecasters for each budget, fitted to three quarters of the images, on the others, and keeps the best. The \
            calibration is saved in the cache folder. Every command with the same model, sampler, step count and \
            guidance uses it.

            With --search, many more plans and forecasters are tried, on images that are hard to keep. It takes many more \
            runs; see --dry-run. With --curve, sample --quality can then choose among the budgets. With --guard, sample \
            --budget-over batch can then give hard images more.
            """)

    @OptionGroup(title: "Model options") var model: ModelOptions
    @OptionGroup(title: "Decoder options") var decoder: DecoderOptions
    @OptionGroup(title: "Sampling options") var sampling: SamplingOptions
    @OptionGroup(title: "Run options") var execution: RunOptions

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How many images to sample. A quarter of them checks the fits; if there is only one, another one does.",
            valueName: "n"))
    var samples = Calibrator.defaultSamples

    @Option(
        name: .customLong("budget"), parsing: .unconditional,
        help: ArgumentHelp(
            "The budgets to choose plans for, separated by commas, or 1 for none.", valueName: "list"))
    var budgets = "0.5"

    @Flag(
        help: """
            Try several plans for each budget on hard images, as many as --samples beside the usual ones, and use the best.
            """)
    var search = false

    @Flag(
        help: """
            Measure the quality of the plans on as many hard images, which had no part in choosing them, for --quality. If \
            the plans are there already, do only that.
            """)
    var curve = false

    @Flag(
        name: .customLong("guard"),
        help: """
            Let hard images have more evaluations than others, for sample --budget-over batch: with plans that were chosen \
            before, for fewer evaluations and for more.
            """)
    var guards = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Stop searching after this time, such as 90s, 10m or 2h, and use the best so far.", valueName: "time"))
    var timeLimit: TimeSpan?

    @Option(
        help: ArgumentHelp(
            "Calibrate on the prompts of this file, one on each line.",
            discussion: "Default: the examples that come with the model.", valueName: "file"))
    var prompts: String?

    @Flag(
        help: ArgumentHelp(
            "Calibrate again even if there is a calibration.", discussion: "Plans for other budgets are kept."))
    var force = false

    @Flag(help: "Save the calibration in the model directory instead, to be distributed with it.")
    var ship = false

    func run() throws {
        let log = execution.begin()
        defer { log.finish() }
        let directory =
            try prompts.map { try model.open(takesPrompts: true).calibrated(on: PromptList(path: $0)) }
            ?? model.open()
        let settings = try sampling.settings(
            over: directory.defaultSettings.computed(by: model.engine.arithmetic(log: log)), of: directory)
        log.warn(of: settings, on: directory)
        let schedule = try settings.schedule(for: directory)
        guard (1...Calibrator.mostSamples).contains(samples) else {
            throw PipelineError.usage(
                "--samples \(samples): give a number of images from 1 to \(Calibrator.mostSamples)")
        }
        let budgets = try parsedBudgets()
        guard !search || samples > 1 && !budgets.isEmpty else {
            throw PipelineError.usage("--search needs at least 2 --samples and a --budget below 1")
        }
        guard !guards || !search && !curve else {
            throw PipelineError.usage(
                "--guard uses plans that were chosen before; drop \(search ? "--search" : "--curve")")
        }
        guard search || timeLimit == nil else { throw PipelineError.usage("--time-limit needs --search") }
        guard !curve || QualityCurve.canPromise(screening: samples * HardImages.screenedPerImage) else {
            throw PipelineError.usage(
                "--curve with \(samples) --samples: too few images to promise anything; give 8 or more")
        }
        // The first call of each branch is always evaluated.
        let least = schedule.branches.count
        guard budgets.allSatisfy({ $0.evaluations(of: schedule.evaluations) >= least }) else {
            throw PlanError.budgetTooSmall(
                planner: PlanResolver.defaultPlanner.rawValue, smallest: least, total: schedule.evaluations)
        }
        let store = CalibrationStore(directory: directory, settings: settings)
        // A file that cannot be used must not keep --force from replacing it.
        let known = force && !guards ? try? store.load(shipped: ship) : try store.load(shipped: ship)
        if let (file, path) = known, !force, isEnough(file, for: budgets, schedule: schedule) {
            log.message("there already is a calibration from \(file.items.count) images; --force calibrates again")
            return try log.result(Log.Event(event: "calibration", file: path, skipped: true, evaluations: 0))
        }
        if !execution.dryRun { try store.check(ships: ship) }
        let session = try ModelSession(
            directory: directory, options: model, arithmetic: settings.arithmetic, workers: execution.workers(),
            log: log)
        let evaluations = budgets.map { $0.evaluations(of: schedule.evaluations) }
        if guards {
            return try guardImages(
                of: known?.file, evaluations, in: session, schedule, store: store, log: log)
        }
        // With a calibration that has all but the qualities, only these are measured.
        let isMade =
            curve && !force
            && known.map { isEnough($0.file, for: budgets, schedule: schedule, measured: false) } ?? false
        if execution.dryRun {
            var planned = 0
            if !isMade {
                planned +=
                    search
                    ? CalibrationJob.mostEvaluationsToSearch(samples, evaluations, schedule: schedule)
                    : CalibrationJob.mostEvaluations(samples, evaluations, schedule: schedule)
            }
            if curve {
                planned += CalibrationJob.evaluationsToMeasureQuality(samples, evaluations, schedule: schedule)
            }
            return try tell(planned, schedule, log)
        }
        let job = CalibrationJob(session: session, store: store)
        let items = Calibrator.items(samples, told: directory.conditions)
        let source = try directory.decoder(decoder.choice)
        guard !curve || source != nil else { throw directory.needsDecoder(instead: ", or drop --curve") }
        let outcome = try WeightFiles.blamed { () -> CalibrationJob.Outcome in
            let chosen =
                if isMade, let file = known?.file {
                    CalibrationJob.Outcome(file: file, evaluations: 0, chosen: [])
                } else if search {
                    try job.search(items, evaluations: evaluations, limit: timeLimit?.duration)
                } else {
                    try job.calibrate(items, evaluations: evaluations)
                }
            guard curve, let source else { return chosen }
            let measured = try job.measureQuality(of: chosen.file, images: samples, decoder: session.load(source))
            return CalibrationJob.Outcome(
                file: measured.file, evaluations: chosen.evaluations + measured.evaluations, chosen: chosen.chosen)
        }
        let path = try store.save(
            known.map { outcome.file.completed(by: $0.file, replacing: force) } ?? outcome.file, ships: ship)
        log.message(
            "calibrated on \(samples) \(samples == 1 ? "image" : "images"), with "
                + Self.cost(outcome.evaluations, schedule))
        for (budget, chosen) in zip(budgets, outcome.chosen) {
            log.message(
                "budget \(budget.share): \(chosen.forecaster.name) fills the gaps of the best of \(chosen.tried) plans and "
                    + "forecasters, with a relative error of \(chosen.error.rounded(to: 10_000)) on images that no fit has seen"
            )
        }
        try log.result(
            Log.Event(
                event: "calibration", file: path, evaluations: outcome.evaluations,
                evaluationsFull: schedule.evaluations))
    }

    /// Says what a calibration would cost at most.
    private func tell(_ evaluations: Int, _ schedule: RunSchedule, _ log: Log) throws {
        log.message("would take at most \(Self.cost(evaluations, schedule))")
        try log.result(
            Log.Event(event: "calibration", evaluations: evaluations, evaluationsFull: schedule.evaluations))
    }

    private static func cost(_ evaluations: Int, _ schedule: RunSchedule) -> String {
        let runs = Double(evaluations) / Double(schedule.evaluations)
        return "\(evaluations) evaluations (\(runs.rounded(to: 10)) full runs)"
    }

    /// Makes the plans that images choose between, from a calibration with plans.
    private func guardImages(
        of file: CalibrationFile?, _ evaluations: [Int], in session: ModelSession, _ schedule: RunSchedule,
        store: CalibrationStore, log: Log
    ) throws {
        guard let file, !evaluations.isEmpty else {
            throw PipelineError.usage(
                "--guard needs a --budget below 1 and a calibration with plans; make one with "
                    + "'omnicache calibrate --search'")
        }
        if execution.dryRun {
            let planned = try CalibrationJob.evaluationsToGuard(file, evaluations, images: samples, schedule: schedule)
            return try tell(planned, schedule, log)
        }
        let outcome = try WeightFiles.blamed {
            try CalibrationJob(session: session, store: store).guardImages(
                of: file, evaluations: evaluations, images: samples)
        }
        let path = try store.save(outcome.file, ships: ship)
        for choice in outcome.file.calibration.choices where evaluations.contains(choice.evaluations) {
            guard let plans = choice.guarded else { continue }
            log.message(
                "\(choice.evaluations) evaluations on average: \(plans.light.evaluations) for most images, "
                    + "\(plans.heavy.evaluations) for hard ones")
        }
        try log.result(
            Log.Event(
                event: "calibration", file: path, evaluations: outcome.evaluations,
                evaluationsFull: schedule.evaluations))
    }

    /// The budgets that leave something to fit.
    private func parsedBudgets() throws -> [Budget] {
        try Budget.list(budgets).filter { $0.share < 1 }
    }

    /// Whether a calibration has as many images, and a plan with a forecaster for every budget, searched and measured if that
    /// is asked for. Without `measured`, its images and qualities do not matter, but its plans alone.
    private func isEnough(
        _ file: CalibrationFile, for budgets: [Budget], schedule: RunSchedule, measured: Bool = true
    ) -> Bool {
        (file.items.count >= samples || !measured)
            && budgets.allSatisfy { budget in
                file.calibration.choices.contains { choice in
                    choice.evaluations == budget.evaluations(of: schedule.evaluations)
                        && (choice.images ?? file.items.count >= samples || !measured)
                        && file.fits.contains { $0.plan == choice.plan } && (choice.errors.count > 1 || !search)
                        && (choice.quality != nil || !curve || !measured) && (choice.guarded != nil || !guards)
                }
            }
    }
}

extension Double {
    /// The nearest multiple of one over `parts`.
    fileprivate func rounded(to parts: Double) -> Double { (self * parts).rounded() / parts }
}
