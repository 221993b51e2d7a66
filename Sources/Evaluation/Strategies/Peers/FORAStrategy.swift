import Caching

/// FORA (Selvaraju et al., arXiv 2407.01425): holds the attention and MLP outputs, before their gates, between full calls
/// at even distances.
///
/// Published with a period of 3; here the distances follow from the budget.
struct FORAStrategy: ReuseStrategy {
    let name = "fora"

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> any PreparedStrategy {
        let allowed = try context.callBudget(budget, reusedBlocks: 0, fewest: 1, name: name)
        let full = SpacedCalls.full(calls: context.calls.count, full: allowed.full)
        let network = context.network
        return BlockCacheRun(in: context) { _ in
            LayerForecastCache(network.schedule(full), order: 0, basis: .taylor, network: network)
        }
    }
}
