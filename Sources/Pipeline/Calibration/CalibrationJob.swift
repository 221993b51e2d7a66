import Caching

/// Makes calibrations and fits in a session.
public struct CalibrationJob {
    /// The images of a calibration that is made only because a plan needs it.
    private static let samplesOnDemand = 1

    private let session: ModelSession
    private let settings: SampleSettings
    private let store: CalibrationStore

    /// A job for the session's model and these settings; keeps what it makes in `store`.
    public init(session: ModelSession, settings: SampleSettings, store: CalibrationStore) {
        self.session = session
        self.settings = settings
        self.store = store
    }

    /// Makes what a plan needs and keeps it.
    func carryOut(_ task: StoredCalibration.Task, on file: CalibrationFile?) throws -> CalibrationFile {
        switch task {
        case .measure:
            session.report(
                .message(
                    "no calibration for this model, sampler, step count and guidance yet: making one from a full run and "
                        + "a half; 'omnicache calibrate' makes a better one"))
            let items = Calibrator.items(Self.samplesOnDemand, told: session.directory.config.conditions)
            return try keep(calibrate(items, leavesOut: false, plans: { _ in [] }).file)
        case .fit(let plan):
            guard let file else { preconditionFailure("fits belong to a calibration") }
            session.report(
                .message(
                    "no steering forecaster for this plan yet: fitting one to the calibration's images but one, which "
                        + "checks it"))
            let fits = try calibrate(file.items, leavesOut: true) { _ in [plan] }.file.fits
            return try keep(fits.reduce(file) { $0.adding($1) })
        }
    }

    /// What calibrating has brought.
    public struct Outcome {
        /// The calibration with its fits.
        public let file: CalibrationFile
        /// The evaluations that it took.
        public let evaluations: Int
        /// How each plan's forecasters did.
        public let checks: [FitCheck]
    }

    /// Samples `items`, then fits the forecasters of the plans that `plans` makes of what was learnt.
    ///
    /// - Parameters:
    ///   - items: The images to learn from.
    ///   - leavesOut: Whether an image is kept from the fits, to check them on; without it there can be none.
    ///   - plans: Makes the plans to fit forecasters for.
    /// - Returns: The calibration with its fits, and what it has cost.
    /// - Throws: What the calibrator, `plans` or the session's checkpoint throws.
    public func calibrate(
        _ items: [SampleItem], leavesOut: Bool, plans: (Calibration) throws -> [ReusePlan]
    ) throws -> Outcome {
        let calibrator = try Calibrator(
            directory: session.directory, network: session.network(), settings: settings, workers: session.workers)
        var spent = 0
        var total = calibrator.evaluationsToMeasure(items.count, leavesOut: leavesOut)
        let progress: Calibrator.Progress = { evaluations in
            try session.checkpoint()
            spent += evaluations
            session.report(.progress(Double(spent) / Double(max(total, 1)), task: "calibrating"))
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
            session.report(.message("kept as \(try store.save(file))"))
        } catch {
            // The image can be made all the same.
            session.report(.message("could not be kept: \(error)"))
        }
        return file
    }
}

extension ModelSession {
    /// The calibration for `settings`; what is missing is made and kept if `makes` says so, since that takes full runs.
    public func calibration(for settings: SampleSettings, makes: Bool) -> StoredCalibration {
        let store = CalibrationStore(directory: directory, settings: settings)
        let tell = { [report] (text: String) in report(.message(text)) }
        guard makes else { return StoredCalibration(store: store, tell: tell) }
        return StoredCalibration(store: store, tell: tell) { task, file in
            try CalibrationJob(session: self, settings: settings, store: store).carryOut(task, on: file)
        }
    }
}
