/// Reuses where the model's output changes least from one call to the next.
///
/// The similarity-driven rule of earlier caches, and the counter-example of the OmniCache paper (arXiv 2508.16212): the
/// outputs are most alike late in the run, where nothing can correct what reuse brings in.
public struct LatePlanner: Planner {
    public let name = "late"

    /// The relative change of the output at each call against the call before; that of the first is not looked at.
    private let change: [Double]

    /// A planner for runs whose outputs change as given, one number per model call.
    public init(change: [Double]) {
        self.change = change
    }

    public func plan(_ request: PlanRequest) throws(PlanError) -> ReusePlan {
        try request.check(change, "change of the output")
        let rules = PlanRules(request)
        let count = try rules.fullCalls(for: request, planner: name)
        guard let steps = rules.choose(count, values: [0] + change.dropFirst()) else {
            preconditionFailure("\(count) full calls keep the rules")
        }
        return ReusePlan(steps: steps, branches: request.branches)
    }
}
