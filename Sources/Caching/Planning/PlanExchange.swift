import Sampling

/// Improves a plan by moving single evaluations between calls and branches while its cost falls.
struct PlanExchange {
    private let cost: PlanCost
    private let rules: PlanRules
    private let branches: GuidanceBranches
    /// Whether each branch is evaluated at each call; the unconditional row is not used without guidance.
    private var rows: [[Bool]]
    /// The cost of each call as the rows are.
    private var costs: [Double]

    /// An evaluation: a row and a call.
    private struct Place: Hashable {
        let row: Int
        let call: Int
    }

    /// How many of the cheapest evaluations are tried elsewhere in one round.
    private static let candidates = 12
    /// No plan of 50 calls has needed half as many rounds.
    private static let rounds = 20

    init(cost: PlanCost, rules: PlanRules, start: [Bool], branches: GuidanceBranches) {
        self.cost = cost
        self.rules = rules
        self.branches = branches
        rows = [start, start]
        costs = []
        costs = start.indices.map { cost.cost(at: $0, conditional: rows[0], unconditional: rows[1]) }
    }

    /// The present plan.
    var plan: ReusePlan {
        ReusePlan(
            evaluated: costs.indices.map { call in
                var evaluated: GuidanceBranches = rows[0][call] ? .conditional : []
                if rows[1][call] { evaluated.insert(.unconditional) }
                return evaluated
            }, branches: branches)
    }

    /// Spends what the plan does not spend yet, then moves evaluations while that helps.
    mutating func improve(evaluations: Int) {
        while plan.evaluations < evaluations, let place = bestAddition(excluding: nil)?.place {
            set(place, true)
        }
        for _ in 0..<Self.rounds {
            let removable = places(evaluated: true)
                .map { (place: $0, change: change(of: $0, to: false)) }
                .sorted { ($0.change, $0.place.call, $0.place.row) < ($1.change, $1.place.call, $1.place.row) }
                .prefix(Self.candidates)
            var improved = false
            for (place, _) in removable where rows[place.row][place.call] {
                improved = move(place) || improved
            }
            guard improved else { return }
        }
    }

    /// Takes one evaluation away and puts it where it helps most, if the plan is cheaper for it.
    private mutating func move(_ place: Place) -> Bool {
        let before = costs.reduce(0, +)
        set(place, false)
        if let (target, change) = bestAddition(excluding: place), costs.reduce(0, +) + change < 0.9999 * before {
            set(target, true)
            if keepsLongestReuse { return true }
            set(target, false)
        }
        set(place, true)
        return false
    }

    /// The evaluation whose addition lowers the cost most, with the change.
    private mutating func bestAddition(excluding: Place?) -> (place: Place, change: Double)? {
        var best: (place: Place, change: Double)?
        for place in places(evaluated: false) where place != excluding {
            let change = change(of: place, to: true)
            if change < best?.change ?? .infinity { best = (place, change) }
        }
        return best
    }

    /// The evaluations that are there and may go, or that are not and may come.
    private func places(evaluated: Bool) -> [Place] {
        (0..<branches.count).flatMap { row in
            rows[row].indices.compactMap { call in
                rows[row][call] == evaluated && !rules.isForced[call] ? Place(row: row, call: call) : nil
            }
        }
    }

    private var keepsLongestReuse: Bool {
        let plan = plan
        return [GuidanceBranches.conditional, .unconditional].filter(branches.contains)
            .allSatisfy { plan.longestReuse(of: $0) <= rules.longestReuse }
    }

    /// By how much the cost changes when an evaluation comes or goes.
    private mutating func change(of place: Place, to isEvaluated: Bool) -> Double {
        rows[place.row][place.call] = isEvaluated
        defer { rows[place.row][place.call] = !isEvaluated }
        return reach(of: place).reduce(0) { sum, call in
            sum + cost.cost(at: call, conditional: rows[0], unconditional: rows[1]) - costs[call]
        }
    }

    private mutating func set(_ place: Place, _ isEvaluated: Bool) {
        rows[place.row][place.call] = isEvaluated
        for call in reach(of: place) {
            costs[call] = cost.cost(at: call, conditional: rows[0], unconditional: rows[1])
        }
    }

    /// The calls whose forecasts may look back on `place`: up to where enough newer outputs of its branch are.
    private func reach(of place: Place) -> Range<Int> {
        let depth = place.row == 0 ? ForecastModel.conditionalDepth : ForecastModel.unconditionalDepth
        var newer = 0
        var end = place.call + 1
        while end < costs.count {
            if rows[place.row][end] { newer += 1 }
            // One more than the depth: taking the place away lets an older output in where it stood.
            if newer > depth { break }
            end += 1
        }
        return place.call..<end
    }
}
