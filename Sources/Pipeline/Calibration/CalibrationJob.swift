import Caching
import Compute
import Media
import Sampling

/// Makes calibrations and fits in a session.
public struct CalibrationJob {
    /// The images of a calibration that is made only because a plan needs it.
    private static let samplesOnDemand = 1

    let session: ModelSession
    private let store: CalibrationStore

    /// A job for the session's model and the store's settings; keeps what it makes in `store`.
    public init(session: ModelSession, store: CalibrationStore) {
        self.session = session
        self.store = store
    }

    var settings: SampleSettings { store.settings }

    /// Makes what a plan needs and keeps it.
    func carryOut(_ task: StoredCalibration.Task, on file: CalibrationFile?) throws -> CalibrationFile {
        switch task {
        case .measure:
            session.report(
                .message(
                    "no calibration for this model, sampler, step count and guidance yet: making one from a full run and "
                        + "a half; 'omnicache calibrate' makes a better one"))
            return try keep(
                calibrate(Calibrator.items(Self.samplesOnDemand, told: session.directory.conditions)).file)
        case .fit(let plan):
            guard let file else { preconditionFailure("fits belong to a calibration") }
            session.report(
                .message(
                    "no steering forecaster for this plan yet: fitting one to most of the calibration's images; the others "
                        + "check it"))
            let calibrator = try calibrator()
            let count = file.items.count
            let meter = Meter(
                session,
                total: calibrator.evaluationsToMeasure(count, leavesOut: true)
                    + Calibrator.evaluationsToFit(plan.evaluations, samples: count))
            let measurement = try calibrator.measure(file.items, leavesOut: true, progress: meter.spend)
            let check = try calibrator.fit(plan, to: measurement, progress: meter.spend)
            return try keep(file.adding(CalibrationFile.Fit(plan: plan, forecaster: check.best)))
        }
    }

    /// What calibrating has brought.
    public struct Outcome {
        /// The calibration with its plans and fits.
        public let file: CalibrationFile
        /// The evaluations that it took.
        public let evaluations: Int
        /// The plans and forecasters that were chosen, one for each number of evaluations.
        public let chosen: [ChosenPlan]

        /// Joins the parts.
        public init(file: CalibrationFile, evaluations: Int, chosen: [ChosenPlan]) {
            self.file = file
            self.evaluations = evaluations
            self.chosen = chosen
        }
    }

    /// Samples `items`, and chooses a plan and a forecaster for each number of evaluations from a few candidates, tried on
    /// the last images, which no fit sees.
    ///
    /// - Parameters:
    ///   - items: The images to learn from.
    ///   - evaluations: What the plans may spend; without any, no image is kept from the rest.
    /// - Returns: The calibration of `items` with the choices and fits, and what it has cost.
    /// - Throws: What the calibrator, the search or the session's checkpoint throws.
    public func calibrate(_ items: [SampleItem], evaluations: [Int] = []) throws -> Outcome {
        let calibrator = try calibrator()
        let meter = Meter(
            session,
            total: Self.mostEvaluations(items.count, evaluations, schedule: calibrator.schedule))
        let measurement = try calibrator.measure(items, leavesOut: !evaluations.isEmpty, progress: meter.spend)
        // Without plans to choose, no image was left to try them on.
        let search = evaluations.isEmpty ? nil : PlanSearch(calibrator: calibrator, measurement: measurement)
        return try choose(
            evaluations, by: search, from: measurement, images: items.indices, of: calibrator, meter)
    }

    /// The most evaluations that ``calibrate(_:evaluations:)`` spends.
    public static func mostEvaluations(_ count: Int, _ evaluations: [Int], schedule: RunSchedule) -> Int {
        Calibrator.evaluationsToMeasure(count, leavesOut: !evaluations.isEmpty, schedule: schedule)
            + evaluations.reduce(0) {
                $0 + PlanSearch.mostEvaluations($1, samples: count, calls: schedule.calls.count)
            }
    }

    /// Samples as many hard images beside `items`, and chooses a plan and a forecaster for each number of evaluations from
    /// many candidates, tried on the hard images.
    ///
    /// - Parameters:
    ///   - items: The usual images to learn from, at least two.
    ///   - evaluations: What the plans may spend.
    ///   - limit: How long to try, shared among the numbers of evaluations; nil for as long as it takes. What is tried then
    ///     depends on the machine.
    /// - Returns: The calibration of `items` with the choices and fits, and what it has cost.
    /// - Throws: What the calibrator, the search or the session's checkpoint throws.
    public func search(
        _ items: [SampleItem], evaluations: [Int], limit: Duration? = nil
    ) throws -> Outcome {
        let end = limit.map { ContinuousClock.now + $0 }
        let calibrator = try calibrator()
        let screening = try HardImages(
            directory: session.directory, network: session.network(), settings: settings, workers: session.workers)
        let meter = Meter(
            session, total: Self.mostEvaluationsToSearch(items.count, evaluations, schedule: calibrator.schedule))
        let hard = try screening.hardest(items.count, beside: items.count, progress: meter.spend)
        let measurement = try calibrator.measure(hard + items, allDrift: true, progress: meter.spend)
        let search = PlanSearch(calibrator: calibrator, measurement: measurement, hard: hard.count)
        return try choose(
            evaluations, by: search, from: measurement, images: hard.count..<measurement.items.count, of: calibrator,
            meter, until: end)
    }

    /// Measures what the chosen plans of a calibration keep of hard images that had no part in choosing them.
    ///
    /// - Parameters:
    ///   - file: The calibration.
    ///   - count: How many hard images to run.
    ///   - decoder: Makes the pictures that are compared.
    /// - Returns: The calibration with qualities, and what they have cost.
    /// - Throws: What the calibrator, the decoder or the session's checkpoint throws.
    public func measureQuality(
        of file: CalibrationFile, images count: Int, decoder: any LatentDecoder
    ) throws -> Outcome {
        let calibrator = try calibrator()
        let screening = try HardImages(
            directory: session.directory, network: session.network(), settings: settings, workers: session.workers)
        let plans = file.calibration.choices.compactMap { choice in
            file.fits.first { $0.plan == choice.plan }.map { (choice: choice, forecaster: $0.forecaster) }
        }
        let meter = Meter(
            session,
            total: Self.evaluationsToMeasureQuality(
                count, plans.map(\.choice.plan.evaluations), schedule: calibrator.schedule))
        // A search screens the images that come first after the usual ones.
        let used = file.items.count * (1 + HardImages.screenedPerImage)
        let images = try screening.hardest(count, beside: used, progress: meter.spend).map { item in
            (item: item, reference: try decoder.values(of: calibrator.record(item, progress: meter.spend).finalLatents))
        }
        let choices = try plans.map { plan in
            let decibels = try images.map { image in
                let latents = try calibrator.end(
                    of: image.item, under: plan.choice.plan, plan.forecaster, progress: meter.spend)
                let psnr = ImageMetrics.psnr(
                    frames: try decoder.values(of: latents), image.reference, range: decoder.range)
                return psnr.isNaN ? 0 : psnr
            }
            return plan.choice.measured(
                MeasuredQuality(decibels: decibels, screened: count * HardImages.screenedPerImage))
        }
        return Outcome(file: file.choosing(choices), evaluations: meter.spent, chosen: [])
    }

    /// The evaluations that ``measureQuality(of:images:decoder:)`` spends on plans of so many.
    public static func evaluationsToMeasureQuality(_ count: Int, _ evaluations: [Int], schedule: RunSchedule) -> Int {
        HardImages.evaluations(count, schedule: schedule)
            + count * (schedule.evaluations + evaluations.reduce(0, +))
    }

    /// The most evaluations that ``search(_:evaluations:limit:)`` spends.
    public static func mostEvaluationsToSearch(_ count: Int, _ evaluations: [Int], schedule: RunSchedule) -> Int {
        HardImages.evaluations(count, schedule: schedule)
            + Calibrator.evaluationsToMeasure(2 * count, leavesOut: false, allDrift: true, schedule: schedule)
            + evaluations.reduce(0) { $0 + PlanSearch.mostEvaluations($1, hard: count, usual: count) }
    }

    func calibrator() throws -> Calibrator {
        try Calibrator(
            directory: session.directory, network: session.network(), settings: settings, workers: session.workers)
    }

    /// Chooses, and sums up the images whose calibration is to be kept.
    private func choose(
        _ evaluations: [Int], by search: PlanSearch?, from measurement: Calibrator.Measurement, images: Range<Int>,
        of calibrator: Calibrator, _ meter: Meter, until end: ContinuousClock.Instant? = nil
    ) throws -> Outcome {
        let chosen = try evaluations.enumerated().compactMap { index, count in
            let now = ContinuousClock.now
            let pause = end.map { now + (max(now, $0) - now) / (evaluations.count - index) }
            return try search?.choose(
                count, goesOn: { pause.map { ContinuousClock.now < $0 } ?? true }, progress: meter.spend
            ).chosen(by: images.count)
        }
        let calibration = calibrator.calibration(
            from: measurement, images: images, as: Self.quantity(of: chosen.map(\.forecaster)))
        let file = CalibrationFile(
            model: session.directory.reference(), settings: settings, items: images.map { measurement.items[$0] },
            calibration: calibration.choosing(chosen.map(\.choice)))
        return Outcome(
            file: chosen.reduce(file) {
                $0.adding(CalibrationFile.Fit(plan: $1.choice.plan, forecaster: $1.forecaster))
            }, evaluations: meter.spent, chosen: chosen)
    }

    /// The quantity that most of the forecasters have, for budgets that nothing is chosen for.
    private static func quantity(of forecasters: [Forecaster]) -> ForecastQuantity {
        let fitted = forecasters.filter { $0.rule is FittedRule }.map(\.quantity)
        func count(_ quantity: ForecastQuantity) -> Int { fitted.filter { $0 == quantity }.count }
        return Calibrator.quantities.dropFirst().reduce(Calibrator.quantities[0]) { count($1) > count($0) ? $1 : $0 }
    }

    /// Counts evaluations and reports the share that is done.
    final class Meter {
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

extension LatentDecoder {
    /// The values of each frame, before they are rounded.
    fileprivate func values(of latents: Tensor) throws -> [[Float]] { try planes(of: latents).map(\.elements) }
}

extension ModelSession {
    /// The calibration for `settings`; what is missing is made and kept if `makes` says so, since that takes full runs.
    public func calibration(for settings: SampleSettings, makes: Bool) -> StoredCalibration {
        let store = CalibrationStore(directory: directory, settings: settings)
        let standard =
            settings.arithmetic == .standard
            ? nil : CalibrationStore(directory: directory, settings: settings.computed(by: .standard))
        let tell = { [report] (text: String) in report(.message(text)) }
        guard makes else { return StoredCalibration(store: store, standard: standard, tell: tell) }
        return StoredCalibration(store: store, standard: standard, tell: tell) { task, file in
            try CalibrationJob(session: self, store: store).carryOut(task, on: file)
        }
    }
}
