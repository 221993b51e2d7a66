import OmniCache

/// SmoothCache (Liu et al., arXiv 2411.10510): holds the outputs of each kind of layer as long as their calibrated change
/// stays below a threshold, for at most three calls; the first and the last call are full.
///
/// One threshold for both kinds, solved from the budget; published between 0.08 and 0.22 at 50 steps.
struct SmoothCacheStrategy: ReuseStrategy {
    let name = "smoothcache"

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> any PreparedStrategy {
        let (calls, price, config) = (context.calls.count, context.price, context.config)
        let evaluations = budget.evaluations(of: context.fullEvaluations)
        guard evaluations < context.fullEvaluations else {
            return run(LayerForecastCache.Schedule(full: calls), in: context)
        }
        let changes = try context.siteChanges()
        let (attention, mlp) = (SkipSchedule(errors: changes.attention), SkipSchedule(errors: changes.mlp))
        func schedule(_ threshold: Double) -> LayerForecastCache.Schedule {
            .init(
                attention: attention.full(calls: calls, threshold: threshold),
                mlp: mlp.full(calls: calls, threshold: threshold))
        }
        func work(_ schedule: LayerForecastCache.Schedule) -> Int {
            let layers = zip(schedule.attention, schedule.mlp).reduce(0) { sum, full in
                sum + (full.0 ? price.attention : 0) + (full.1 ? price.mlp : 0)
            }
            return calls * price.call(blocks: 0) + price.branches * config.depth * layers
        }
        let least = work(schedule(.infinity))
        guard price.allows(least, within: evaluations) else {
            throw PlanError.budgetTooSmall(
                planner: name, smallest: Int(price.evaluations(least).rounded(.up)), total: context.fullEvaluations)
        }
        let threshold = ThresholdSearch.lowest(
            from: 0.18, within: Double(evaluations),
            step: price.evaluations(price.branches * config.depth * min(price.attention, price.mlp))
        ) { price.evaluations(work(schedule($0))) }
        return run(schedule(threshold), in: context)
    }

    private func run(_ schedule: LayerForecastCache.Schedule, in context: StrategyContext) -> BlockCacheRun {
        let config = context.config
        return BlockCacheRun(in: context) { _ in
            LayerForecastCache(schedule, order: 0, basis: .taylor, config: config)
        }
    }
}
