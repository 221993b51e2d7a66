import Glibc
import Sampling

/// A plan that was chosen among others by what it did in closed loop.
public struct PlanChoice: Codable, Equatable, Sendable {
    /// The evaluations that the plan was chosen for; it spends no more.
    public let evaluations: Int
    /// What is evaluated.
    public let plan: ReusePlan
    /// The relative error of the final state of each hard image that it was tried on, the largest first.
    public let errors: [Double]

    /// Joins the parts.
    public init(evaluations: Int, plan: ReusePlan, errors: [Double]) {
        self.evaluations = evaluations
        self.plan = plan
        self.errors = errors.map { min($0, Self.largestError) }.sorted(by: >)
    }

    /// Errors below this are not told apart: pictures of 8 bits hardly change.
    static let smallestError = 1e-3
    /// What a run that diverged counts as.
    static let largestError = 1e3

    /// How good it is, the smaller the better: the mean over the images of the error's logarithm.
    ///
    /// A mean of squares would see only the images that turn into others, and a mean of decibels mostly those that are
    /// nearly lossless anyway. On the embedded model, the mean over hard images ranks plans as the 5th percentile over many
    /// others does; the mean over usual ones does not, and that over the worst quarter follows single images.
    public var score: Double {
        errors.reduce(0) { $0 + log10(max($1, Self.smallestError)) } / Double(max(errors.count, 1))
    }
}

/// The plan that `omnicache calibrate --search` has found best for the request's number of evaluations.
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
                "no search has been made for \(request.evaluations) evaluations; make one with 'omnicache calibrate "
                    + "--search' and the same budget and options")
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
