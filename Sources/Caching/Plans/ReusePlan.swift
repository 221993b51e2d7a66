import Sampling

/// Which branches are evaluated at which model call; what is not evaluated is reused.
///
/// A plan is made for a whole run before it starts, and is the same for every image.
public struct ReusePlan: Equatable, Sendable {
    /// The branches that are evaluated, one entry per model call.
    public let evaluated: [GuidanceBranches]

    /// The branches of the run.
    public let branches: GuidanceBranches

    /// A plan from its decisions; what is not a branch of the run is dropped.
    public init(evaluated: [GuidanceBranches], branches: GuidanceBranches) {
        self.evaluated = evaluated.map { $0.intersection(branches) }
        self.branches = branches
    }

    /// A plan that decides for both branches alike: `steps[n]` says whether call n is evaluated.
    public init(steps: [Bool], branches: GuidanceBranches) {
        self.init(evaluated: steps.map { $0 ? branches : [] }, branches: branches)
    }

    /// The plan that reuses nothing.
    public static func full(calls: Int, branches: GuidanceBranches) -> ReusePlan {
        ReusePlan(evaluated: Array(repeating: branches, count: calls), branches: branches)
    }

    /// The model calls that it covers.
    public var calls: Int { evaluated.count }

    /// The evaluations that it spends.
    public var evaluations: Int { evaluated.reduce(0) { $0 + $1.count } }

    /// The evaluations of the full run.
    public var fullEvaluations: Int { calls * branches.count }

    /// Whether `branch` is evaluated at `call`.
    public func isFull(_ branch: GuidanceBranches, at call: Int) -> Bool { evaluated[call].contains(branch) }

    /// The calls at which `branch` is evaluated, in order.
    public func fullCalls(of branch: GuidanceBranches) -> [Int] {
        evaluated.indices.filter { evaluated[$0].contains(branch) }
    }

    /// The longest row of calls at which `branch` is reused.
    public func longestReuse(of branch: GuidanceBranches) -> Int {
        var (longest, current) = (0, 0)
        for call in evaluated.indices {
            current = isFull(branch, at: call) ? 0 : current + 1
            longest = max(longest, current)
        }
        return longest
    }
}
