import Caching
import Pipeline

/// Makes calibrations and fits, with progress and messages.
struct CalibrationJob {
    /// Where nothing but a calibration was asked for, one image has to do.
    private static let samplesOnDemand = 1

    let session: ModelSession
    let settings: SampleSettings
    let store: CalibrationStore
    let log: Log

    /// Makes what a command has found missing, and keeps it.
    func carryOut(_ task: StoredCalibration.Task, on file: CalibrationFile?) throws -> CalibrationFile {
        switch task {
        case .measure:
            log.message(
                "no calibration for this model, sampler, step count and guidance yet: making one from a full run and a "
                    + "half; 'omnicache calibrate' makes a better one")
            let items = Calibrator.items(Self.samplesOnDemand, told: session.directory.config.conditions)
            return try keep(calibrate(items, leavesOut: false, plans: { _ in [] }).file)
        case .fit(let plan):
            guard let file else { preconditionFailure("fits belong to a calibration") }
            log.message(
                "no steering forecaster for this plan yet: fitting one to the calibration's images but one, which checks it"
            )
            let fits = try calibrate(file.items, leavesOut: true) { _ in [plan] }.file.fits
            return try keep(fits.reduce(file) { $0.adding($1) })
        }
    }

    /// What calibrating has brought.
    struct Outcome {
        let file: CalibrationFile
        /// What it has cost.
        let evaluations: Int
        /// One for each plan.
        let checks: [FitCheck]
    }

    /// Samples `items`, then fits the forecasters of the plans that `plans` makes of what was learnt.
    ///
    /// - Parameters:
    ///   - items: The images to learn from.
    ///   - leavesOut: Whether an image is kept from the fits, to check them on; without it there can be none.
    ///   - plans: Makes the plans to fit forecasters for.
    /// - Returns: The calibration with its fits, and what it has cost.
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

    private func keep(_ file: CalibrationFile) throws -> CalibrationFile {
        do {
            log.message("kept as \(try store.save(file))")
        } catch {
            // The image can be made all the same.
            log.message("could not be kept: \(error)")
        }
        return file
    }
}
