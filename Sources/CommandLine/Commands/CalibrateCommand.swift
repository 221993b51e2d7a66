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

            Samples a few images in full, again with half of their outputs held, and once more at each budget. \
            Forecasters are fitted to all images but the last, which checks them: if a simpler forecaster is as good \
            there, it is used instead. The calibration is saved in the cache folder. Every command with the same model, \
            sampler, step count and guidance uses it.

            With --search, plans are chosen by what they do: several are tried on images that are hard to keep. It takes \
            many more runs; see --dry-run.
            """)

    @OptionGroup(title: "Model options") var model: ModelOptions
    @OptionGroup(title: "Sampling options") var sampling: SamplingOptions
    @OptionGroup(title: "Run options") var execution: RunOptions

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How many images to sample. The last one checks the fits; if there is only one, another one does.",
            valueName: "n"))
    var samples = Calibrator.defaultSamples

    @Option(
        name: .customLong("budget"), parsing: .unconditional,
        help: ArgumentHelp(
            "The budgets to fit the default forecaster for, separated by commas, or 1 for none.", valueName: "list"))
    var budgets = "0.5"

    @Flag(
        help: """
            Try several plans for each budget on hard images, as many as --samples beside the usual ones, and use the best.
            """)
    var search = false

    @Flag(help: "Calibrate again even if there is a calibration.")
    var force = false

    @Flag(help: "Save the calibration in the model directory instead, to be distributed with it.")
    var ship = false

    func run() throws {
        let log = execution.begin()
        defer { log.finish() }
        let directory = try model.open()
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
        let store = CalibrationStore(directory: directory, settings: settings)
        if !force, let (file, path) = try store.load(), isEnough(file, for: budgets, schedule: schedule) {
            log.message("there already is a calibration from \(file.items.count) images; --force calibrates again")
            return try log.result(Log.Event(event: "calibration", file: path, skipped: true, evaluations: 0))
        }
        let session = try ModelSession(
            directory: directory, options: model, arithmetic: settings.arithmetic, workers: execution.workers(),
            log: log)
        // Only fits need an image that checks them.
        let leavesOut = !budgets.isEmpty
        let evaluations = budgets.map { $0.evaluations(of: schedule.evaluations) }
        if execution.dryRun {
            let planned =
                search
                ? CalibrationJob.mostEvaluationsToSearch(samples, evaluations, schedule: schedule)
                : Calibrator.evaluationsToMeasure(samples, leavesOut: leavesOut, schedule: schedule)
                    + evaluations.reduce(0) { $0 + Calibrator.evaluationsToFit($1, samples: samples) }
            return try log.result(
                Log.Event(event: "calibration", evaluations: planned, evaluationsFull: schedule.evaluations))
        }
        let job = CalibrationJob(session: session, settings: settings, store: store)
        let items = Calibrator.items(samples, told: directory.config.conditions)
        let outcome = try WeightFiles.blamed {
            try search
                ? job.search(items, evaluations: evaluations)
                : job.calibrate(items, leavesOut: leavesOut) { calibration in
                    try plans(for: budgets, calibration: calibration, schedule: schedule)
                }
        }
        let path = try store.save(outcome.file, ships: ship)
        let runs = Double(outcome.evaluations) / Double(schedule.evaluations)
        log.message(
            "calibrated on \(samples) \(samples == 1 ? "image" : "images"), with \(outcome.evaluations) evaluations (\(runs.formatted1) full runs)"
        )
        for (budget, check) in zip(budgets, outcome.checks) {
            if let warning = check.warning { log.message("budget \(budget.share): \(warning)") }
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

    private func plans(
        for budgets: [Budget], calibration: Calibration, schedule: RunSchedule
    ) throws -> [ReusePlan] {
        try budgets.map { budget in
            let request = PlanRequest(
                calls: schedule.calls, branches: schedule.branches,
                evaluations: budget.evaluations(of: schedule.evaluations))
            return try PlanResolver.defaultPlanner(for: request, under: calibration)
                .planner { calibration }.plan(request)
        }
    }

    /// Whether a calibration has as many images, and a fit for every budget, searched if that is asked for.
    private func isEnough(_ file: CalibrationFile, for budgets: [Budget], schedule: RunSchedule) -> Bool {
        guard file.items.count >= samples,
            let plans = try? plans(for: budgets, calibration: file.calibration, schedule: schedule)
        else { return false }
        let isSearched = budgets.allSatisfy { budget in
            file.calibration.choices.contains { $0.evaluations == budget.evaluations(of: schedule.evaluations) }
        }
        return plans.allSatisfy { plan in file.fits.contains { $0.plan == plan } } && (isSearched || !search)
    }
}

extension Double {
    /// With one digit after the point.
    fileprivate var formatted1: String { "\((self * 10).rounded() / 10)" }
}
