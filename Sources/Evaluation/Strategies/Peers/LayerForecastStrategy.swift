import Caching

/// Forecasts every layer's output from its finite differences at evenly spaced full calls, the first two full: TaylorSeer
/// (Liu et al., arXiv 2503.06923; published with a distance of 4 and order 4) and HiCache (Feng et al., arXiv 2508.16984;
/// a scale of 0.5).
///
/// The distances follow from the budget.
struct LayerForecastStrategy: ReuseStrategy {
    let name: String
    /// The highest order of the differences.
    let order: Int
    /// What they are multiplied by.
    let basis: FeatureBasis

    /// How many calls are full at the start.
    private static let warmUp = 2

    static let taylorSeer = Self(name: "taylorseer", order: 4, basis: .taylor)
    static let hiCache = Self(name: "hicache", order: 4, basis: .hermite(scale: 0.5))

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> any PreparedStrategy {
        let allowed = try context.callBudget(budget, reusedBlocks: 0, fewest: 1, name: name)
        let full = SpacedCalls.full(calls: context.calls.count, full: allowed.full, warmUp: Self.warmUp)
        let (order, basis, network) = (order, basis, context.network)
        return BlockCacheRun(in: context) { _ in
            LayerForecastCache(network.schedule(full), order: order, basis: basis, network: network)
        }
    }
}
