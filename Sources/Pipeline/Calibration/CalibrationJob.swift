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
        let calibrator = try calibrator()
        let meter = Meter(session, total: calibrator.evaluationsToMeasure(items.count, leavesOut: leavesOut))
        let measurement = try calibrator.measure(items, leavesOut: leavesOut, progress: meter.spend)
        let file = CalibrationFile(
            model: session.directory.reference(), settings: settings, items: items,
            calibration: measurement.calibration)
        return try fit(
            try plans(measurement.calibration), to: measurement, checkedOn: [], in: file, by: calibrator, meter)
    }

    /// Samples as many hard images beside `items`, searches a plan for each number of evaluations, and fits its
    /// forecaster.
    ///
    /// - Parameters:
    ///   - items: The usual images to learn from, at least two.
    ///   - evaluations: What the plans may spend.
    /// - Returns: The calibration of `items` with the choices and fits, and what it has cost.
    /// - Throws: What the calibrator, the search or the session's checkpoint throws.
    public func search(_ items: [SampleItem], evaluations: [Int]) throws -> Outcome {
        let calibrator = try calibrator()
        let search = try PlanSearch(
            calibrator: calibrator, directory: session.directory, network: session.network(), settings: settings,
            workers: session.workers)
        let meter = Meter(
            session, total: Self.mostEvaluationsToSearch(items.count, evaluations, schedule: calibrator.schedule))
        let hard = try search.hardest(items.count, beside: items.count, progress: meter.spend)
        // Every other hard image is kept from the plans, and only tried.
        let learnt = stride(from: 0, to: hard.count, by: 2).map { hard[$0] }
        let tried = try stride(from: 1, to: hard.count, by: 2).map { index in
            (item: hard[index], reference: try calibrator.record(hard[index], progress: meter.spend))
        }
        let measurement = try calibrator.measure(learnt + items, leavesOut: true, progress: meter.spend)
        let choices = try search.choose(
            evaluations, measurement: measurement, hard: learnt.count, tried: tried, progress: meter.spend)
        let usual = try calibrator.calibration(from: measurement, images: learnt.count..<measurement.items.count)
        let file = CalibrationFile(
            model: session.directory.reference(), settings: settings, items: items,
            calibration: usual.choosing(choices))
        return try fit(
            choices.map(\.plan), to: measurement, checkedOn: tried, in: file, by: calibrator, meter)
    }

    /// The most evaluations that ``search(_:evaluations:)`` spends.
    public static func mostEvaluationsToSearch(_ count: Int, _ evaluations: [Int], schedule: RunSchedule) -> Int {
        let (learnt, tried) = ((count + 1) / 2, count / 2)
        return PlanSearch.evaluationsToScreen(count, steps: schedule.calls.count, branches: schedule.branches.count)
            + tried * schedule.evaluations
            + Calibrator.evaluationsToMeasure(count + learnt, leavesOut: true, schedule: schedule)
            + evaluations.reduce(0) {
                $0 + PlanSearch.mostEvaluationsToChoose($1, images: count)
                    + Calibrator.evaluationsToFit($1, samples: count + learnt, checkedOn: tried)
            }
    }

    private func calibrator() throws -> Calibrator {
        try Calibrator(
            directory: session.directory, network: session.network(), settings: settings, workers: session.workers)
    }

    private func fit(
        _ plans: [ReusePlan], to measurement: Calibrator.Measurement, checkedOn others: [Calibrator.RecordedImage],
        in file: CalibrationFile, by calibrator: Calibrator, _ meter: Meter
    ) throws -> Outcome {
        // Known exactly now; before, a search has said the most that it could take.
        meter.total =
            meter.spent
            + plans.reduce(0) {
                $0
                    + Calibrator.evaluationsToFit(
                        $1.evaluations, samples: measurement.items.count, checkedOn: others.count)
            }
        let checks = try plans.map { try calibrator.fit($0, to: measurement, checkedOn: others, progress: meter.spend) }
        let fits = zip(plans, checks).map { CalibrationFile.Fit(plan: $0, forecaster: $1.best) }
        return Outcome(file: fits.reduce(file) { $0.adding($1) }, evaluations: meter.spent, checks: checks)
    }

    /// Counts evaluations and reports the share that is done.
    private final class Meter {
        private(set) var spent = 0
        var total: Int
        private let session: ModelSession

        init(_ session: ModelSession, total: Int) {
            self.session = session
            self.total = total
        }

        func spend(_ evaluations: Int) throws {
            try session.checkpoint()
            spent += evaluations
            session.report(.progress(Double(spent) / Double(max(total, 1)), task: "calibrating"))
        }
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
