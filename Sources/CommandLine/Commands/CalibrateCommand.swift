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

    @Flag(help: "Calibrate again even if there is a calibration.")
    var force = false

    @Flag(help: "Save the calibration in the model directory instead, to be distributed with it.")
    var ship = false

    func run() throws {
        let log = execution.begin()
        defer { log.finish() }
        let directory = try model.open()
        let settings = sampling.settings(over: directory.defaultSettings, of: directory)
        log.warn(of: settings, on: directory)
        let schedule = try settings.schedule(for: directory)
        guard (1...Calibrator.mostSamples).contains(samples) else {
            throw PipelineError.usage(
                "--samples \(samples): give a number of images from 1 to \(Calibrator.mostSamples)")
        }
        let budgets = try parsedBudgets()
        let store = CalibrationStore(directory: directory, settings: settings)
        if !force, let (file, path) = try store.load(), isEnough(file, for: budgets, schedule: schedule) {
            log.message("there already is a calibration from \(file.items.count) images; --force calibrates again")
            return try log.result(Log.Event(event: "calibration", file: path, skipped: true, evaluations: 0))
        }
        let session = try ModelSession(
            directory: directory, options: model, workers: execution.workers(), log: log)
        // Only fits need an image that checks them.
        let leavesOut = !budgets.isEmpty
        if execution.dryRun {
            let fitted = budgets.reduce(0) {
                $0 + Calibrator.evaluationsToFit($1.evaluations(of: schedule.evaluations), samples: samples)
            }
            let measured = Calibrator.evaluationsToMeasure(samples, leavesOut: leavesOut, schedule: schedule)
            return try log.result(
                Log.Event(event: "calibration", evaluations: measured + fitted, evaluationsFull: schedule.evaluations))
        }
        let job = CalibrationJob(session: session, settings: settings, store: store)
        let items = Calibrator.items(samples, told: directory.config.conditions)
        let outcome = try WeightFiles.blamed {
            try job.calibrate(items, leavesOut: leavesOut) { calibration in
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
        let evaluations = outcome.evaluations
        try log.result(
            Log.Event(
                event: "calibration", file: path, evaluations: evaluations, evaluationsFull: schedule.evaluations))
    }

    /// The budgets that leave something to fit.
    private func parsedBudgets() throws -> [Budget] {
        try Budget.list(budgets).filter { $0.share < 1 }
    }

    private func plans(
        for budgets: [Budget], calibration: Calibration, schedule: RunSchedule
    ) throws -> [ReusePlan] {
        let planner = PathPlanner(calibration: calibration)
        return try budgets.map { budget in
            try planner.plan(
                PlanRequest(
                    calls: schedule.calls, branches: schedule.branches,
                    evaluations: budget.evaluations(of: schedule.evaluations)))
        }
    }

    /// Whether a calibration has as many images and a fit for every budget.
    private func isEnough(_ file: CalibrationFile, for budgets: [Budget], schedule: RunSchedule) -> Bool {
        guard file.items.count >= samples,
            let plans = try? plans(for: budgets, calibration: file.calibration, schedule: schedule)
        else { return false }
        return plans.allSatisfy { plan in file.fits.contains { $0.plan == plan } }
    }
}

extension Double {
    /// With one digit after the point.
    fileprivate var formatted1: String { "\((self * 10).rounded() / 10)" }
}
