import Caching
import Sampling

/// What a run reuses, and how: everything about a cache that an image depends on, and what it was asked for as.
public struct ReuseRecord: Codable, Equatable, Sendable {
    private enum CodingKeys: String, CodingKey {
        case budget, planner, forecaster, decisions
        case rule = "guard"
        case hard
    }

    /// What is evaluated of hard images, and what fills its gaps.
    public struct Course: Codable, Equatable, Sendable {
        /// What fills the gaps, with its coefficients.
        public let forecaster: Forecaster
        /// What is evaluated at which model call.
        public let decisions: ReusePlan
    }

    /// The budget that was asked for; nil for a mask without one.
    public let budget: Budget?
    /// The planner that made the decisions.
    public let planner: String
    /// What fills the gaps, with its coefficients.
    public let forecaster: Forecaster
    /// What is evaluated at which model call.
    public let decisions: ReusePlan
    /// How the image has chosen, or will choose, among two plans; nil where there is no choice.
    public let rule: GuardRule?
    /// What hard images go on with; nil where there is no choice, or it has been made.
    public let hard: Course?

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
        rule = try values.decodeIfPresent(GuardRule.self, forKey: .rule)
        hard = try values.decodeIfPresent(Course.self, forKey: .hard)
    }

    /// Joins the parts.
    public init(
        budget: Budget?, planner: String, forecaster: Forecaster, decisions: ReusePlan, rule: GuardRule? = nil,
        hard: Course? = nil
    ) {
        self.budget = budget
        self.planner = planner
        self.forecaster = forecaster
        self.decisions = decisions
        self.rule = rule
        self.hard = hard
    }

    /// The evaluations of one image; the mean over many images where each chooses.
    public var evaluations: Int {
        guard hard != nil, let budget else { return decisions.evaluations }
        return budget.evaluations(of: decisions.fullEvaluations)
    }

    /// The evaluations of the costliest image.
    public var mostEvaluations: Int { max(decisions.evaluations, hard?.decisions.evaluations ?? 0) }

    /// The second plan of images that choose.
    public var planGuard: PlanGuard? {
        guard let rule, let hard else { return nil }
        return PlanGuard(rule: rule, plan: hard.decisions, forecaster: hard.forecaster)
    }

    /// The record of an image that has chosen: how, and the plan that it has followed. The same where there is no choice.
    func decided(isHard: Bool) -> ReuseRecord {
        guard let hard else { return self }
        return ReuseRecord(
            budget: budget, planner: planner, forecaster: isHard ? hard.forecaster : forecaster,
            decisions: isHard ? hard.decisions : decisions, rule: rule)
    }

    /// The part that decides the image's pixels: neither the budget nor the planner's name does.
    var essence: ReuseRecord {
        ReuseRecord(
            budget: nil, planner: "", forecaster: forecaster, decisions: decisions, rule: rule, hard: hard)
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
        try planGuard?.check(from: decisions, forecaster)
        return forecaster
    }

    /// The evaluations, in words.
    public var cost: String {
        guard let hard else { return "\(evaluations)" }
        return "\(decisions.evaluations), or \(hard.decisions.evaluations) for hard images,"
    }

    /// One line that says what it costs and by what it was made.
    public var summary: String {
        "\(cost) of \(decisions.fullEvaluations) evaluations, \(planner) planner, \(forecaster.name) forecaster"
    }
}
