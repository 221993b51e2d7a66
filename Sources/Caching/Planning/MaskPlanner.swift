import Sampling

/// Follows decisions that were written down: one mark per model call, for both branches or in a row for each.
///
/// Full is `1`, `F` or `█`; reused is `0`, `R` or `·`. Commas and blanks may stand between marks; `/` parts the row of
/// the conditional branch from that of the unconditional one.
public struct MaskPlanner: Planner {
    /// The name that plans by hand have in files.
    public static let name = "mask"
    public var name: String { Self.name }

    /// For each row, whether each call is full.
    private let rows: [[Bool]]

    /// Reads a mask.
    ///
    /// - Throws: ``PlanError/doesNotFit(_:)`` for a mark that means nothing, or more than two rows.
    public init(_ text: String) throws(PlanError) {
        var rows: [[Bool]] = [[]]
        for mark in text {
            switch mark {
            case "1", "F", "f", "█": rows[rows.count - 1].append(true)
            case "0", "R", "r", "·": rows[rows.count - 1].append(false)
            case "/": rows.append([])
            case ",", " ": continue
            default:
                throw .doesNotFit(
                    "mask: '\(mark)' is no decision; write 1, F or █ for a full call, 0, R or · for a reused one")
            }
        }
        guard rows.count <= 2 else {
            throw .doesNotFit("mask: \(rows.count) rows; give one for both branches, or two with a '/' between them")
        }
        self.rows = rows
    }

    public func plan(_ request: PlanRequest) throws(PlanError) -> ReusePlan {
        let calls = request.calls.count
        for row in rows where row.count != calls {
            throw .doesNotFit("mask: \(row.count) decisions for a run of \(calls) model calls; give \(calls)")
        }
        guard rows.count == 1 || request.branches.count == 2 else {
            throw .doesNotFit("mask: two rows for a run without guidance, which has one branch; give one row")
        }
        let decisions = (0..<calls).map { call in
            (rows[0][call] ? GuidanceBranches.conditional : [])
                .union(rows[rows.count - 1][call] ? .unconditional : [])
        }
        let plan = ReusePlan(evaluated: decisions, branches: request.branches)
        guard plan.evaluated[0] == request.branches else {
            throw .doesNotFit(
                "mask: reuse at the first model call, where there is nothing to reuse yet; begin it with 1")
        }
        guard plan.evaluations <= request.evaluations else {
            throw .doesNotFit(
                "mask: \(plan.evaluations) evaluations, but the budget has \(request.evaluations); reuse more calls")
        }
        try request.limits.check(plan)
        return plan
    }
}
