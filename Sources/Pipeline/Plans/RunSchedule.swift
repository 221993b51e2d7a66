import Sampling

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

    /// The steps of the sampler; some of them make several calls.
    public var steps: Int { calls.last.map { $0.step + 1 } ?? 0 }

    /// The evaluations of the full run.
    public var evaluations: Int { calls.count * branches.count }
}
