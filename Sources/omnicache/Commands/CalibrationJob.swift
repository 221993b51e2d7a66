import OmniCache
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
            return try keep(calibrate(items, plans: { _ in [] }).file)
        case .fit(let plan):
            let items = file?.items ?? Calibrator.items(1, told: session.directory.config.conditions)
            log.message("no steering forecaster for this plan yet: fitting one to \(items.count) images")
            let fits = try calibrate(items) { _ in [plan] }.file.fits
            guard let fit = fits.first, let file else { preconditionFailure("one fit was asked for") }
            return try keep(file.adding(fit))
        }
    }

    /// Samples `items`, then fits the forecasters of the plans that `plans` makes of what was learnt.
    ///
    /// - Returns: The calibration, and the evaluations that it has cost.
    func calibrate(
        _ items: [SampleItem], plans: (Calibration) throws -> [ReusePlan]
    ) throws -> (file: CalibrationFile, evaluations: Int) {
        let calibrator = try Calibrator(
            directory: session.directory, network: session.network(), settings: settings, workers: session.workers)
        var spent = 0
        var total = calibrator.evaluationsToMeasure(items.count)
        let progress: Calibrator.Progress = { evaluations in
            if Interruption.isPending { throw Interrupted(done: 0, total: 1) }
            spent += evaluations
            log.share(Double(spent) / Double(max(total, 1)), label: "calibrating")
        }
        let measurement = try calibrator.measure(items, progress: progress)
        var file = CalibrationFile(
            model: session.directory.reference(), settings: settings, items: items,
            calibration: measurement.calibration)
        let plans = try plans(measurement.calibration)
        total += plans.reduce(0) { $0 + $1.evaluations * items.count }
        for plan in plans {
            let forecaster = try calibrator.fit(plan, to: measurement, progress: progress)
            file = file.adding(CalibrationFile.Fit(plan: plan, forecaster: forecaster))
        }
        return (file, spent)
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
