import Caching
import Compute
import Models
import Sampling

/// What a budget is to be chosen for.
public enum BudgetGoal: Equatable, Sendable {
    /// At least so many decibels of PSNR to the full run, for 95 % of images.
    case quality(Double)
    /// At most so many seconds an image.
    case time(Double)
}

/// A budget that was chosen for a goal, and why.
public struct GoalBudget: Equatable, Sendable {
    /// The budget.
    public let budget: Budget
    /// One line that says what was chosen and what is to be expected.
    public let reason: String
}

extension QualityCurve {
    /// The smallest budget that keeps `quality` dB for 95 % of images, or the full run where none does.
    ///
    /// - Parameters:
    ///   - quality: In dB, above 0.
    ///   - total: The evaluations of the full run.
    /// - Returns: The budget, with its reason.
    /// - Throws: ``PipelineError/usage(_:)`` where `quality` is no number of decibels, or no curve has been measured.
    public func budget(keeping quality: Double, of total: Int) throws -> GoalBudget {
        guard quality > 0, quality.isFinite else {
            throw PipelineError.usage("--quality \(quality): give a PSNR in decibels, such as 40")
        }
        guard points.contains(where: { $0.promise != nil }) else {
            let problem =
                points.isEmpty
                ? "nothing is known yet about the quality of budgets with these settings; measure it"
                : "the quality of budgets was measured on too few images with these settings; measure it again"
            throw PipelineError.usage(
                "--quality \(quality): \(problem) with 'omnicache calibrate --curve --samples 8 --budget 0.5,0.33,0.2' and the same options"
            )
        }
        guard let point = cheapest(keeping: quality) else {
            return GoalBudget(
                budget: try Budget(1),
                reason: "quality \(quality): no budget that was measured keeps it, so everything is evaluated")
        }
        let share = point.share(keeping: quality)
        return GoalBudget(
            budget: try Budget(Double(point.evaluations) / Double(total)),
            reason:
                "quality \(quality): budget \(Double(point.evaluations) / Double(total)), which kept \(quality) dB for "
                + "\(share.percent) % of \(point.quality.screened) images (95 % interval \(share.percentInterval))")
    }

    /// The largest budget whose images take at most `seconds`, or the full run where it does.
    ///
    /// - Parameters:
    ///   - seconds: For an image, above 0.
    ///   - evaluation: The seconds that an evaluation takes.
    ///   - rest: What an image takes beside its evaluations.
    ///   - total: The evaluations of the full run.
    /// - Returns: The budget, with its reason.
    /// - Throws: ``PipelineError/usage(_:)`` where `seconds` is no time, or too short for every budget.
    public func budget(
        within seconds: Double, evaluation: Double, rest: Double, of total: Int
    ) throws -> GoalBudget {
        guard seconds > 0, seconds.isFinite else {
            throw PipelineError.usage("--time \(seconds): give a time for an image, such as 3s")
        }
        func time(_ evaluations: Int) -> Double { rest + Double(evaluations) * evaluation }
        let rounded = { (seconds: Double) in "\((seconds * 1000).rounded() / 1000) s" }
        if time(total) <= seconds {
            return GoalBudget(
                budget: try Budget(1),
                reason: "time \(rounded(seconds)): the full run takes about \(rounded(time(total))) an image")
        }
        let searched = points.map(\.evaluations)
        // Where nothing has been searched, a tenth of the run is as little as plans are any good for.
        let least = searched.first ?? max(1, total / 10)
        let affordable =
            searched.isEmpty ? Int((seconds - rest) / evaluation) : searched.last { time($0) <= seconds } ?? 0
        guard affordable >= least else {
            throw PipelineError.usage(
                "--time \(rounded(seconds)): the least, \(least) of \(total) evaluations, takes about "
                    + "\(rounded(time(least))) an image; give more time, or fewer --steps")
        }
        let promise = points.first { $0.evaluations == affordable }?.promise
        return GoalBudget(
            budget: try Budget(Double(affordable) / Double(total)),
            reason: "time \(rounded(seconds)): budget \(Double(affordable) / Double(total)), about "
                + "\(rounded(time(affordable))) an image"
                + (promise.map { "; at least \(($0 * 10).rounded() / 10) dB for 95 % of images" } ?? ""))
    }
}

extension ModelSession {
    /// The budget for a goal, from what is known of the model with these settings.
    ///
    /// - Parameters:
    ///   - goal: What is wanted.
    ///   - settings: The run's settings.
    ///   - calibration: Theirs.
    ///   - decoder: What makes pictures; nil for none.
    /// - Returns: The budget, with its reason.
    /// - Throws: ``PipelineError/usage(_:)`` where it cannot be had, and what sampling a few steps throws.
    public func budget(
        for goal: BudgetGoal, settings: SampleSettings, calibration: some CalibrationSource, decoder: DecoderSource?
    ) throws -> GoalBudget {
        let curve = QualityCurve(try calibration.knownCalibration())
        let total = try settings.schedule(for: directory).evaluations
        switch goal {
        case .quality(let quality): return try curve.budget(keeping: quality, of: total)
        case .time(let seconds):
            let pace = try pace(of: settings, decodedBy: decoder.map { try load($0) })
            return try curve.budget(
                within: seconds, evaluation: pace.evaluation, rest: pace.decoding, of: total)
        }
    }

    /// The seconds of an evaluation, and of decoding an image: the quicker of two steps, and one picture.
    private func pace(
        of settings: SampleSettings, decodedBy decoder: (any LatentDecoder)?
    ) throws -> (evaluation: Double, decoding: Double) {
        let sampler = try ImageSampler(
            directory: directory, network: network(), settings: settings, workers: workers)
        var run = try sampler.start(Calibrator.items(1, told: directory.conditions)[0])
        let clock = ContinuousClock()
        var steps: [Double] = []
        // The first one also makes ready.
        for _ in 0..<3 {
            try checkpoint()
            let start = clock.now
            guard try run.next() != nil else { break }
            steps.append((clock.now - start) / .seconds(1))
        }
        let start = clock.now
        _ = try decoder?.planes(of: run.latents)
        let branches = try settings.guidance.branches.count
        return ((steps.min() ?? 0) / Double(branches), (clock.now - start) / .seconds(1))
    }
}
