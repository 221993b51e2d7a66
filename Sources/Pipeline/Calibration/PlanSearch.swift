import Caching
import Sampling

/// Chooses plans and forecasters by what they do in closed loop.
///
/// No single rule wins on every model, sampler, step count and budget: plans for usual images or for hard ones, with more
/// or less trust in the model to lead errors back, forecasts of v or of x0, fitted weights or none. So candidates are
/// tried (``PlanTrials``), first all plans with forecasters that cost no run to fit, then the best of them with
/// `steering`, then plans that differ from the best by one evaluation. Even spacing with the last noise held is among
/// them, which is nearly what a sampler does that takes fewer steps.
struct PlanSearch {
    /// What is tried.
    enum Effort: Equatable {
        /// The path planner's plan for each quantity; where calls are few, even spacing beside it.
        case small
        /// Plans from images of every kind, others, and their neighbours.
        case large
    }

    /// The powers of the measured gain that are tried (``Calibration/raisingGain(to:)``).
    static let powers = [0, 0.5, 1.5]
    /// How many of the path planner's plans are tried with steering.
    static let finalists = 4
    /// The ridges that the best is tried with, beside the usual one.
    static let ridges = [1e-4, 1e-3, 1e-2]
    /// How many neighbours of the best plan are tried.
    static let neighbours = 8
    /// The score of a neighbour has to be this much better in every fold to be believed: with a dozen images, a small gain in
    /// the mean is mostly chance.
    private static let leastGain = 0.01
    /// By how much the score of `spectral` on one image has to be better than that of `steering` to be believed: a factor of
    /// five in the error. Over many images `steering` leaves a half or less of the other's error on every model measured.
    private static let leastDoubt = 0.7

    private let calibrator: Calibrator
    private let measurement: Calibrator.Measurement
    private let effort: Effort
    /// The images, by their places, that plans are made from: one set, or several.
    private let sets: [[Int]]
    private let folds: [PlanTrials.Fold]
    private let trials: PlanTrials

    /// A small search on a measurement that has left images out.
    init(calibrator: Calibrator, measurement: Calibrator.Measurement) {
        self.init(
            calibrator: calibrator, measurement: measurement, effort: .small, sets: [measurement.fold.fitted],
            folds: [measurement.fold])
    }

    /// A large search on hard images, then usual ones.
    ///
    /// Every other hard image is kept from the plans. Forecasters are fitted to half of all images and tried on the other
    /// half's hard ones, in turns.
    ///
    /// - Parameters:
    ///   - calibrator: For the model and the settings.
    ///   - measurement: The images, `hard` hard ones first.
    ///   - hard: How many are hard.
    init(calibrator: Calibrator, measurement: Calibrator.Measurement, hard: Int) {
        let (difficult, usual) = (0..<hard, hard..<measurement.items.count)
        let learnt = difficult.filter { $0.isMultiple(of: 2) }
        self.init(
            calibrator: calibrator, measurement: measurement, effort: .large,
            sets: [Array(usual), learnt, learnt + usual], folds: Self.folds(hard: hard, usual: usual.count))
    }

    private init(
        calibrator: Calibrator, measurement: Calibrator.Measurement, effort: Effort, sets: [[Int]],
        folds: [PlanTrials.Fold]
    ) {
        self.calibrator = calibrator
        self.measurement = measurement
        self.effort = effort
        self.sets = sets
        self.folds = folds
        trials = PlanTrials(calibrator: calibrator, measurement: measurement, folds: folds)
    }

    /// The folds of a large search on hard images, then usual ones; at least two of each.
    private static func folds(hard: Int, usual: Int) -> [PlanTrials.Fold] {
        [0, 1].map { parity in
            let (fitted, others) = (0..<hard + usual).reduce(into: ([Int](), [Int]())) { halves, image in
                let place = image < hard ? image : image - hard
                if place % 2 == parity { halves.0.append(image) } else { halves.1.append(image) }
            }
            return PlanTrials.Fold(fitted: fitted, tried: others.filter { $0 < hard })
        }
    }

    /// The most evaluations that a small search spends on one number of evaluations.
    static func mostEvaluations(_ evaluations: Int, samples: Int, calls: Int) -> Int {
        let kept = Calibrator.keptFromFits(samples)
        let fold = PlanTrials.Fold(
            fitted: Array(repeating: 0, count: max(1, samples - kept)), tried: Array(repeating: 0, count: kept))
        let plain = calls > PlanResolver.fewCalls ? Calibrator.quantities.count : 3
        return plain * kept * evaluations
            + PlanTrials.evaluations(evaluations, filledBy: .steering(.velocity), folds: [fold])
    }

    /// The most evaluations that a large search spends on one number of evaluations.
    static func mostEvaluations(_ evaluations: Int, hard: Int, usual: Int) -> Int {
        let folds = folds(hard: hard, usual: usual)
        let quantities = Calibrator.quantities.count
        let plain = quantities * (3 * powers.count + 3) + completeForecasters.count
        let steered = finalists + 3 + ridges.count + neighbours
        return plain * PlanTrials.evaluations(evaluations, filledBy: .spectral(.velocity), folds: folds)
            + steered * PlanTrials.evaluations(evaluations, filledBy: .steering(.velocity), folds: folds)
            + evaluations * (hard + usual)
    }

    /// What even spacing is tried with, beside fitted forecasters.
    private static let completeForecasters: [Forecaster] = [
        PlanResolver.fewStepsForecaster, .taylor(order: 1, quantity: .direction, variable: .logSNR),
        PlanResolver.plainForecaster,
    ]

    /// Finds the best plan and forecaster for a number of evaluations, by ``PlanChoice/score``.
    ///
    /// - Parameters:
    ///   - evaluations: What the plan may spend.
    ///   - goesOn: Asked before each trial but the first; false ends the search.
    ///   - progress: Called with the evaluations of each step.
    /// - Returns: The best of what was tried.
    /// - Throws: ``PlanError/budgetTooSmall(planner:smallest:total:)``, what the sampler throws, and what `progress` does.
    func choose(
        _ evaluations: Int, goesOn: @escaping () -> Bool = { true }, progress: @escaping Calibrator.Progress
    ) throws -> ChosenPlan {
        let request = PlanRequest(
            calls: calibrator.schedule.calls, branches: calibrator.schedule.branches, evaluations: evaluations)
        let contest = Contest(trials: trials, goesOn: goesOn, progress: progress)
        var finalists: [PlanTrials.Trial] = []
        for (candidates, advancing) in try candidates(request) {
            finalists += try contest.attempt(candidates).filter { $0.candidate.steered != nil }.prefix(advancing)
        }
        if effort == .small { finalists = finalists.min { $0.score < $1.score }.map { [$0] } ?? [] }
        try contest.attempt(finalists.compactMap(\.candidate.steered))
        if effort == .large { try contest.attempt(contest.best.candidate.withRidges(Self.ridges)) }
        let best = effort == .large ? try improved(contest.best, in: contest) : trusted(contest)
        // Of several folds no forecaster has seen all images yet.
        let forecaster =
            folds.count == 1
            ? best.forecaster
            : try trials.forecaster(for: best.candidate, from: Array(measurement.items.indices), progress: progress)
        return ChosenPlan(
            choice: PlanChoice(evaluations: evaluations, plan: best.candidate.plan, errors: best.errors),
            forecaster: forecaster, error: best.error, tried: contest.count)
    }

    /// Tries neighbours of the best plan with the same forecaster, and goes on from each that is better in every fold.
    private func improved(_ best: PlanTrials.Trial, in contest: Contest) throws -> PlanTrials.Trial {
        var remaining = Self.neighbours
        var start = best
        func neighbours() -> [PlanTrials.Candidate] {
            start.candidate.plan.neighbours.map { PlanTrials.Candidate(plan: $0, filling: start.candidate.filling) }
        }
        while let better = try contest.firstBetter(
            of: neighbours(), than: start, by: Self.leastGain, remaining: &remaining)
        { start = better }
        return start
    }

    /// The best of a small search; `steering` in place of `spectral`, unless the images that it was tried on speak strongly
    /// against it.
    private func trusted(_ contest: Contest) -> PlanTrials.Trial {
        let best = contest.best
        guard let steered = best.candidate.steered.flatMap({ contest.trial(of: $0) }) else { return best }
        let doubt = Self.leastDoubt / Double(best.errors.count).squareRoot()
        return steered.score <= best.score + doubt ? steered : best
    }

    /// What is tried first, kind by kind, with how many of each kind are then tried with steering.
    ///
    /// The path planner has plans for every budget that is possible at all, others need not.
    private func candidates(_ request: PlanRequest) throws -> [(candidates: [PlanTrials.Candidate], advancing: Int)] {
        let spaced = try? UniformPlanner().plan(request)
        func even(_ fillings: [PlanTrials.Filling]) -> [PlanTrials.Candidate] {
            fillings.compactMap { filling in spaced.map { PlanTrials.Candidate(plan: $0, filling: filling) } }
        }
        switch effort {
        case .small where request.calls.count > PlanResolver.fewCalls:
            return [(try pathCandidates(request, Calibrator.quantities, powers: [1]), 1)]
        case .small:
            return [
                (try pathCandidates(request, [.clean], powers: [1]), 1),
                (even([.complete(PlanResolver.fewStepsForecaster), .spectral(.clean)]), 1),
            ]
        case .large:
            let fitted = Calibrator.quantities.map { PlanTrials.Filling.spectral($0) }
            return [
                (try pathCandidates(request, Calibrator.quantities, powers: Self.powers), Self.finalists),
                (try robustCandidates(request), 1),
                (even(Self.completeForecasters.map { .complete($0) } + fitted), 1),
                (balancedCandidates(request), 1),
            ]
        }
    }

    private func pathCandidates(
        _ request: PlanRequest, _ quantities: [ForecastQuantity], powers: [Double]
    ) throws -> [PlanTrials.Candidate] {
        try quantities.flatMap { quantity in
            try sets.flatMap { images in
                let calibration = calibrator.calibration(from: measurement, images: images, as: quantity)
                return try powers.map { power in
                    PlanTrials.Candidate(
                        plan: try PathPlanner(calibration: calibration.raisingGain(to: power)).plan(request),
                        filling: .spectral(quantity))
                }
            }
        }
    }

    private func robustCandidates(_ request: PlanRequest) throws -> [PlanTrials.Candidate] {
        try Calibrator.quantities.map { quantity in
            let robust = RobustPlan(
                calibrator: calibrator, measurement: measurement, images: sets[sets.count - 1], quantity: quantity)
            return PlanTrials.Candidate(plan: try robust.plan(request), filling: .spectral(quantity))
        }
    }

    private func balancedCandidates(_ request: PlanRequest) -> [PlanTrials.Candidate] {
        Calibrator.quantities.compactMap { quantity in
            let calibration = calibrator.calibration(
                from: measurement, images: measurement.items.indices, as: quantity)
            return (try? BalancedPlanner(calibration: calibration).plan(request))
                .map { PlanTrials.Candidate(plan: $0, filling: .spectral(quantity)) }
        }
    }
}

/// The plan and the forecaster that a search has found best for a number of evaluations.
public struct ChosenPlan: Sendable {
    /// The plan, and what it did.
    public let choice: PlanChoice
    /// What fills its gaps.
    public let forecaster: Forecaster
    /// The relative error of the final state, the geometric mean over the images.
    public let error: Double
    /// How many plans with forecasters have been tried.
    public let tried: Int

    /// The same, chosen by so many images.
    func chosen(by images: Int) -> ChosenPlan {
        ChosenPlan(choice: choice.chosen(by: images), forecaster: forecaster, error: error, tried: tried)
    }
}

/// The trials of one number of evaluations so far.
private final class Contest {
    private let trials: PlanTrials
    private let goesOn: () -> Bool
    private let progress: Calibrator.Progress
    private var done: [PlanTrials.Trial] = []

    init(trials: PlanTrials, goesOn: @escaping () -> Bool, progress: @escaping Calibrator.Progress) {
        self.trials = trials
        self.goesOn = goesOn
        self.progress = progress
    }

    var count: Int { done.count }

    /// The best trial, of equals the first; there has been one.
    var best: PlanTrials.Trial { done.dropFirst().reduce(done[0]) { $1.score < $0.score ? $1 : $0 } }

    /// What a candidate has done; nil where it was not tried.
    func trial(of candidate: PlanTrials.Candidate) -> PlanTrials.Trial? { done.first { $0.candidate == candidate } }

    /// Tries candidates, each once, until there is no time left; the very first is always tried.
    ///
    /// - Returns: What there is of them, the best first.
    @discardableResult
    func attempt(_ candidates: [PlanTrials.Candidate]) throws -> [PlanTrials.Trial] {
        for candidate in candidates where !isDone(candidate) && (done.isEmpty || goesOn()) { try run(candidate) }
        return done.filter { candidates.contains($0.candidate) }.sorted { $0.score < $1.score }
    }

    /// Tries candidates until one has a better score than `other` in every fold, or no trial or time remains.
    func firstBetter(
        of candidates: [PlanTrials.Candidate], than other: PlanTrials.Trial, by gain: Double, remaining: inout Int
    ) throws -> PlanTrials.Trial? {
        for candidate in candidates where !isDone(candidate) {
            guard remaining > 0, goesOn() else { return nil }
            remaining -= 1
            let trial = try run(candidate)
            if zip(trial.foldScores, other.foldScores).allSatisfy({ $0 < $1 - gain }) { return trial }
        }
        return nil
    }

    @discardableResult
    private func run(_ candidate: PlanTrials.Candidate) throws -> PlanTrials.Trial {
        let trial = try trials.trial(of: candidate, progress: progress)
        done.append(trial)
        return trial
    }

    private func isDone(_ candidate: PlanTrials.Candidate) -> Bool { trial(of: candidate) != nil }
}
