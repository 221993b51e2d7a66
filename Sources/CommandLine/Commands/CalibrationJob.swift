import Caching
import Pipeline

/// Calibrates and fits, with progress and messages.
struct CalibrationJob {
    /// The number of images of a calibration that another command needs.
    private static let samplesOnDemand = 1

    let session: ModelSession
    let settings: SampleSettings
    let store: CalibrationStore
    let log: Log

    /// Makes and saves what a command has found missing.
    func carryOut(_ task: StoredCalibration.Task, on file: CalibrationFile?) throws -> CalibrationFile {
        switch task {
        case .measure:
            log.message(
                "no calibration for this model, sampler, step count and guidance yet; making one costs one and a half full "
                    + "runs ('omnicache calibrate' makes a better one)")
            let items = Calibrator.items(Self.samplesOnDemand, told: session.directory.config.conditions)
            return try save(calibrate(items, leavesOut: false, plans: { _ in [] }).file)
        case .fit(let plan):
            guard let file else { preconditionFailure("fits belong to a calibration") }
            log.message(
                "no steering forecaster for this plan yet; fitting one to the images of the calibration")
            let fits = try calibrate(file.items, leavesOut: true) { _ in [plan] }.file.fits
            return try save(fits.reduce(file) { $0.adding($1) })
        }
    }

    /// What a calibration gives.
    struct Outcome {
        let file: CalibrationFile
        /// What it cost.
        let evaluations: Int
        /// The check of each fit, in the order of the plans.
        let checks: [FitCheck]
    }

    /// Samples `items`, then fits a forecaster to each plan.
    ///
    /// - Parameters:
    ///   - items: The images to learn from.
    ///   - leavesOut: Whether an image is left out of the fits to check them; required if there are any.
    ///   - plans: Makes the plans from the calibration.
    /// - Returns: The calibration with its fits, and what it cost.
    /// - Throws: What the calibrator or `plans` throws, or `Interrupted`.
    func calibrate(
        _ items: [SampleItem], leavesOut: Bool, plans: (Calibration) throws -> [ReusePlan]
    ) throws -> Outcome {
        let calibrator = try Calibrator(
            directory: session.directory, network: session.network(), settings: settings, workers: session.workers)
        var spent = 0
        var total = calibrator.evaluationsToMeasure(items.count, leavesOut: leavesOut)
        let progress: Calibrator.Progress = { evaluations in
            if Interruption.isPending { throw Interrupted(done: 0, total: 1) }
            spent += evaluations
            log.share(Double(spent) / Double(max(total, 1)), label: "calibrating")
        }
        let measurement = try calibrator.measure(items, leavesOut: leavesOut, progress: progress)
        var file = CalibrationFile(
            model: session.directory.reference(), settings: settings, items: items,
            calibration: measurement.calibration)
        let plans = try plans(measurement.calibration)
        total += plans.reduce(0) { $0 + Calibrator.evaluationsToFit($1.evaluations, samples: items.count) }
        var results: [FitCheck] = []
        for plan in plans {
            let check = try calibrator.fit(plan, to: measurement, progress: progress)
            results.append(check)
            file = file.adding(CalibrationFile.Fit(plan: plan, forecaster: check.best))
        }
        return Outcome(file: file, evaluations: spent, checks: results)
    }

    private func save(_ file: CalibrationFile) throws -> CalibrationFile {
        do {
            log.message("calibration saved as \(try store.save(file))")
        } catch {
            // The command does not need the file.
            log.message("the calibration was not saved: \(error)")
        }
        return file
    }
}
