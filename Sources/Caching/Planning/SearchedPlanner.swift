import Glibc
import Sampling

/// A plan that was chosen among others by what it did in closed loop.
public struct PlanChoice: Codable, Equatable, Sendable {
    /// The evaluations that the plan was chosen for; it spends no more.
    public let evaluations: Int
    /// What is evaluated.
    public let plan: ReusePlan
    /// The relative error of the final state of each image that it was tried on, the largest first.
    public let errors: [Double]
    /// What it has kept of images that had no part in the choice; nil where this was not measured.
    public private(set) var quality: MeasuredQuality?
    /// The two plans that images choose between where the evaluations are a mean over images; nil where none were made.
    public private(set) var guarded: GuardedPlans?
    /// How many images it was asked to be chosen by; nil in files of earlier versions, where all choices had as many.
    public private(set) var images: Int?

    /// Joins the parts.
    public init(
        evaluations: Int, plan: ReusePlan, errors: [Double], quality: MeasuredQuality? = nil,
        guarded: GuardedPlans? = nil, images: Int? = nil
    ) {
        self.evaluations = evaluations
        self.plan = plan
        self.errors = errors.map { min($0, Self.largestError) }.sorted(by: >)
        self.quality = quality
        self.guarded = guarded
        self.images = images
    }

    /// Errors below this are not told apart: pictures of 8 bits hardly change.
    static let smallestError = 1e-3
    /// What a run that diverged counts as.
    static let largestError = 1e3

    /// The same with a measured quality.
    public func measured(_ quality: MeasuredQuality) -> PlanChoice { changed { $0.quality = quality } }

    /// The same with plans for images that choose.
    public func guarded(by plans: GuardedPlans) -> PlanChoice { changed { $0.guarded = plans } }

    /// The same, chosen by so many images.
    public func chosen(by images: Int) -> PlanChoice { changed { $0.images = images } }

    /// The same without what was measured with forecasters of plans that now have others.
    public func kept(without isReplaced: (ReusePlan) -> Bool) -> PlanChoice {
        changed { choice in
            if isReplaced(plan) { choice.quality = nil }
            if let guarded, isReplaced(guarded.light) || isReplaced(guarded.heavy) { choice.guarded = nil }
        }
    }

    private func changed(_ change: (inout PlanChoice) -> Void) -> PlanChoice {
        var copy = self
        change(&copy)
        return copy
    }

    /// How good errors are, the smaller the better: the mean over the images of the error's logarithm.
    ///
    /// A mean of squares would see only the images that turn into others, and a mean of decibels mostly those that are
    /// nearly lossless anyway.
    public static func score(of errors: [Double]) -> Double {
        errors.reduce(0) { $0 + log10(min(max($1, smallestError), largestError)) } / Double(max(errors.count, 1))
    }
}

/// The plan that `omnicache calibrate` has found best in closed loop for the request's number of evaluations.
public struct SearchedPlanner: Planner {
    public var name: String { PlannerKind.search.rawValue }

    private let choices: [PlanChoice]

    /// A planner with the choices of `calibration`.
    public init(calibration: Calibration) {
        choices = calibration.choices
    }

    /// Whether there is a choice for the request, within its limits.
    public func hasPlan(for request: PlanRequest) -> Bool { (try? plan(request)) != nil }

    public func plan(_ request: PlanRequest) throws(PlanError) -> ReusePlan {
        let full = ReusePlan.full(calls: request.calls.count, branches: request.branches)
        guard request.evaluations < full.evaluations else { return full }
        guard let choice = choices.first(where: { $0.evaluations == request.evaluations }) else {
            throw .needsCalibration(
                "no plan has been chosen for \(request.evaluations) evaluations; choose one with 'omnicache calibrate' and "
                    + "the same budget and options")
        }
        guard choice.plan.calls == request.calls.count, choice.plan.branches == request.branches else {
            throw .doesNotFit("the search was for another number of model calls or for other guidance branches")
        }
        try request.limits.check(choice.plan)
        return choice.plan
    }
}

extension PlannerKind {
    /// ``SearchedPlanner``.
    public static let search = PlannerKind("search", forecaster: .best) { SearchedPlanner(calibration: try $0()) }
}
