/// Spreads the full steps evenly over the run; the first is one of them and, from two on, the last.
public struct UniformPlanner: Planner {
    public var name: String { PlannerKind.uniform.rawValue }

    /// The planner; it needs to know nothing of the model.
    public init() {}

    public func plan(_ request: PlanRequest) throws(PlanError) -> ReusePlan {
        var rules = PlanRules(request)
        let count = try rules.fullCalls(for: request, planner: name)
        let withLast = rules.forcing(request.calls.count - 1)
        if withLast.fewestFullCalls <= count { rules = withLast }

        let stretches = rules.stretches
        var shares = stretches.map { rules.fewestFullCalls(in: $0.count) }
        for _ in rules.fewestFullCalls..<count {
            // The next one goes where the gaps are widest.
            let widest = stretches.indices.max { a, b in
                Self.gap(stretches[a].count, shares[a]) < Self.gap(stretches[b].count, shares[b])
            }
            if let widest { shares[widest] += 1 }
        }
        var isFull = rules.isForced
        for (stretch, share) in zip(stretches, shares) where share > 0 {
            for position in 1...share {
                // Neighbouring positions differ by the gap, rounded up or down.
                let offset = (2 * position * (stretch.count + 1) + share + 1) / (2 * (share + 1))
                isFull[stretch.lowerBound + offset - 1] = true
            }
        }
        return ReusePlan(steps: isFull, branches: request.branches)
    }

    /// The mean distance between full steps in a stretch of `length` with `share` of them; 0 when it has no room.
    private static func gap(_ length: Int, _ share: Int) -> Double {
        share < length ? Double(length + 1) / Double(share + 1) : 0
    }
}

extension PlannerKind {
    /// ``UniformPlanner``.
    public static let uniform = PlannerKind("uniform") { _ in UniformPlanner() }
}
