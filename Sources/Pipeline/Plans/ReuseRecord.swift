import Caching
import Sampling

/// What a run reuses, and how: everything about a cache that an image depends on, and what it was asked for as.
public struct ReuseRecord: Codable, Equatable, Sendable {
    private enum CodingKeys: String, CodingKey {
        case budget, planner, forecaster, decisions
    }

    /// The budget that was asked for; nil for a mask without one.
    public let budget: Budget?
    /// The planner that made the decisions.
    public let planner: String
    /// What fills the gaps, with its coefficients.
    public let forecaster: Forecaster
    /// What is evaluated at which model call.
    public let decisions: ReusePlan

    /// The names that a planner may have in a file.
    static let planners = PlannerKind.allCases.map(\.rawValue) + [MaskPlanner.name]

    /// Reads a record of a planner that is known.
    ///
    /// - Throws: ``PlanError/doesNotFit(_:)`` for another planner, `DecodingError` for what is no record.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        planner = try values.decode(String.self, forKey: .planner)
        guard Self.planners.contains(planner) else {
            throw PlanError.doesNotFit(
                "planner is '\(planner.prefix(40))', and there are only \(Self.planners.joined(separator: ", "))")
        }
        budget = try values.decodeIfPresent(Budget.self, forKey: .budget)
        forecaster = try values.decode(Forecaster.self, forKey: .forecaster)
        decisions = try values.decode(ReusePlan.self, forKey: .decisions)
    }

    /// Joins the parts.
    public init(budget: Budget?, planner: String, forecaster: Forecaster, decisions: ReusePlan) {
        self.budget = budget
        self.planner = planner
        self.forecaster = forecaster
        self.decisions = decisions
    }

    /// The evaluations of one image.
    public var evaluations: Int { decisions.evaluations }

    /// The part that decides the image's pixels: neither the budget nor the planner's name does.
    var essence: ReuseRecord {
        ReuseRecord(budget: nil, planner: "", forecaster: forecaster, decisions: decisions)
    }

    /// The forecaster, if decisions and forecaster fit a run.
    ///
    /// - Throws: ``PlanError`` that says what does not fit.
    public func forecaster(for schedule: RunSchedule) throws(PlanError) -> Forecaster {
        guard decisions.branches == schedule.branches else {
            throw .doesNotFit(
                decisions.branches.count == 2
                    ? "the plan is for a guided run, and this one is not" : "the plan is for a run without guidance")
        }
        guard decisions.calls == schedule.calls.count else {
            throw .doesNotFit(
                "the plan decides for \(decisions.calls) model calls, and the run makes \(schedule.calls.count)")
        }
        try forecaster.check(decisions)
        return forecaster
    }

    /// One line that says what it costs and by what it was made.
    public var summary: String {
        "\(evaluations) of \(decisions.fullEvaluations) evaluations, \(planner) planner, \(forecaster.name) forecaster"
    }
}

/// The model calls that a run will make, and the branches that each asks for.
public struct RunSchedule: Equatable, Sendable {
    /// Every call, in order.
    public let calls: [ModelCall]
    /// The guidance branches of every call.
    public let branches: GuidanceBranches

    /// Joins the two.
    package init(calls: [ModelCall], branches: GuidanceBranches) {
        self.calls = calls
        self.branches = branches
    }

    /// The evaluations of the full run.
    public var evaluations: Int { calls.count * branches.count }
}
