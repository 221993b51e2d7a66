import Caching
import Sampling

extension CalibrationJob {
    /// Two plans of a calibration, for images that choose.
    private struct Pair {
        let choice: PlanChoice
        let light: CalibrationFile.Fit
        /// The light plan until the decision, then one with more evaluations.
        let heavy: ReusePlan
        let call: Int

        /// The share of images that may follow the heavy plan if the mean is to be the choice's evaluations.
        var share: Double {
            Double(choice.evaluations - light.plan.evaluations)
                / Double(heavy.evaluations - light.plan.evaluations)
        }

        /// The evaluations of an image until the decision.
        var evaluationsToSee: Int { light.plan.evaluated[...call].reduce(0) { $0 + $1.count } }
    }

    /// The heavy plan spends at most so much more than the mean. With more, too few images could have it.
    private static let mostExcess = 1.6
    /// How many images the threshold comes from, for each one that the forecaster is fitted to.
    private static let seenPerImage = 16

    /// Makes the plans that images choose between (`--budget-over batch`), from those that calibrating has chosen for fewer and
    /// for more evaluations.
    ///
    /// - Parameters:
    ///   - file: The calibration.
    ///   - evaluations: The mean evaluations of an image; the calibration has a plan for each.
    ///   - count: As many usual and as many hard images fit the heavy plan's forecaster.
    /// - Returns: The calibration with the plans, and what they have cost.
    /// - Throws: ``PipelineError/usage(_:)`` where plans are missing, and what the calibrator or the session's checkpoint throws.
    public func guardImages(
        of file: CalibrationFile, evaluations: [Int], images count: Int
    ) throws -> Outcome {
        let calibrator = try calibrator()
        let pairs = try evaluations.map { try Self.pair($0, of: file) }
        let screening = try HardImages(
            directory: session.directory, network: session.network(), settings: settings, workers: session.workers)
        let schedule = calibrator.schedule
        let meter = Meter(
            session, total: try Self.evaluationsToGuard(file, evaluations, images: count, schedule: schedule))
        let conditions = session.directory.config.conditions
        let hard = try screening.hardest(count, beside: count, progress: meter.spend)
        let items = hard + Calibrator.items(count, told: conditions)
        let measurement = try calibrator.measure(items, progress: meter.spend)
        // Images that no search, curve or fit has screened.
        let curve = file.calibration.choices.compactMap(\.quality).filter(\.isPossible).map(\.screened).max() ?? 0
        let used = max(count, file.items.count) * (1 + HardImages.screenedPerImage) + curve
        let seen = Calibrator.items(used + count * Self.seenPerImage, told: conditions).dropFirst(used)
        return try pairs.reduce(Outcome(file: file, evaluations: 0, chosen: [])) { outcome, pair in
            let light = pair.light.forecaster
            let calibration = calibrator.calibration(
                from: measurement, images: items.indices, as: light.quantity)
            let fitted = try calibrator.steer(
                pair.heavy, by: measurement, images: Array(items.indices), calibration: calibration,
                ridge: SteeringFit.ridge, progress: meter.spend)
            guard let heavy = light.joined(with: fitted, after: pair.call) else { throw Self.unfitted(pair.choice) }
            let changes = try seen.compactMap {
                try calibrator.change(
                    of: $0, under: pair.light.plan, light, until: pair.call, progress: meter.spend)
            }
            let plans = GuardedPlans(
                rule: GuardRule(call: pair.call, threshold: GuardRule.threshold(over: pair.share, of: changes)),
                light: pair.light.plan, heavy: pair.heavy, images: changes.count)
            return Outcome(
                file: outcome.file.adding(CalibrationFile.Fit(plan: pair.heavy, forecaster: heavy))
                    .choosing([pair.choice.guarded(by: plans)]), evaluations: meter.spent, chosen: [])
        }
    }

    /// The evaluations that ``guardImages(of:evaluations:images:)`` spends.
    ///
    /// - Throws: ``PipelineError/usage(_:)`` where plans are missing.
    public static func evaluationsToGuard(
        _ file: CalibrationFile, _ evaluations: [Int], images count: Int, schedule: RunSchedule
    ) throws -> Int {
        try evaluations.reduce(
            HardImages.evaluations(count, schedule: schedule)
                + Calibrator.evaluationsToMeasure(2 * count, leavesOut: false, schedule: schedule)
        ) { sum, evaluations in
            let pair = try pair(evaluations, of: file)
            return sum + 2 * count * pair.heavy.evaluations + count * seenPerImage * pair.evaluationsToSee
        }
    }

    /// The plans for a mean of so many evaluations: the next lighter choice, and the heaviest that is not much heavier.
    private static func pair(_ evaluations: Int, of file: CalibrationFile) throws -> Pair {
        let choices = file.calibration.choices
        func fit(_ choice: PlanChoice?) -> CalibrationFile.Fit? {
            choice.flatMap { choice in file.fits.first { $0.plan == choice.plan } }
        }
        let lighter = choices.filter { $0.evaluations < evaluations }.max { $0.evaluations < $1.evaluations }
        let heavier = choices.filter {
            $0.evaluations > evaluations && Double($0.evaluations) <= mostExcess * Double(evaluations)
        }.max { $0.evaluations < $1.evaluations }
        guard let choice = choices.first(where: { $0.evaluations == evaluations }), let light = fit(lighter),
            let heavier, let call = GuardRule.call(for: light.plan)
        else {
            throw PipelineError.usage(
                "--guard at \(evaluations) evaluations needs plans for it, for fewer and for up to "
                    + "\(Int(mostExcess * Double(evaluations))); choose them with 'omnicache calibrate --search --budget' and those "
                    + "budgets")
        }
        guard light.forecaster.rule is FittedRule else { throw unfitted(choice) }
        // The light plan's beginning may have taken more from the heavier plan than that has beyond the choice.
        let heavy = light.plan.joined(with: heavier.plan, after: call)
        guard heavy.evaluations > evaluations else {
            throw PipelineError.usage(
                "--guard at \(evaluations) evaluations: what begins as the lighter plan and goes on as that of "
                    + "\(heavier.evaluations) has only \(heavy.evaluations), so no image could have more; choose a plan for "
                    + "more of them with 'omnicache calibrate --search --budget'")
        }
        return Pair(choice: choice, light: light, heavy: heavy, call: call)
    }

    private static func unfitted(_ choice: PlanChoice) -> PipelineError {
        .usage(
            "--guard at \(choice.evaluations) evaluations: the gaps of the lighter plan are not filled by a fitted forecaster, "
                + "so no image can change its plan; give another --budget")
    }
}
