import Sampling

extension ReusePlan {
    /// The plans of as many evaluations that move one of this plan's to the call before or after: of all branches where
    /// they move together, then of one. Those of early calls come first.
    public var neighbours: [ReusePlan] {
        let kinds: [GuidanceBranches] = branches.count > 1 ? [branches, .conditional, .unconditional] : [branches]
        return (1..<max(calls, 1)).flatMap { call in
            kinds.flatMap { moved in
                [call - 1, call + 1].compactMap { moving(moved, from: call, to: $0) }
            }
        }
    }

    /// The plan with the evaluations of `moved` at one call made at another; nil where they are not all there, or the other
    /// call has one of them.
    private func moving(_ moved: GuidanceBranches, from call: Int, to other: Int) -> ReusePlan? {
        guard evaluated.indices.contains(other), other > 0, branches.contains(moved),
            evaluated[call].contains(moved), evaluated[other].isDisjoint(with: moved)
        else { return nil }
        var changed = evaluated
        changed[call].subtract(moved)
        changed[other].formUnion(moved)
        return ReusePlan(evaluated: changed, branches: branches)
    }
}
