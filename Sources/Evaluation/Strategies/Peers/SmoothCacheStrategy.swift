import Caching

/// SmoothCache (Liu et al., arXiv 2411.10510): holds the outputs of each kind of layer as long as their calibrated change
/// stays below a threshold, for at most three calls; the first and the last call are full.
///
/// One threshold for both kinds, solved from the budget; published between 0.08 and 0.22 at 50 steps.
struct SmoothCacheStrategy: ReuseStrategy {
    let name = "smoothcache"

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> PreparedStrategy {
        let (calls, price, network) = (context.calls.count, context.price, context.network)
        let evaluations = budget.evaluations(of: context.fullEvaluations)
        guard evaluations < context.fullEvaluations else {
            return run(network.schedule(Array(repeating: true, count: calls)), in: context)
        }
        let changes = try context.siteChanges()
        let skips = network.layerKinds.map { ($0, SkipSchedule(errors: changes.changes(of: $0))) }
        func schedule(_ threshold: Double) -> LayerForecastCache.Schedule {
            Dictionary(
                uniqueKeysWithValues: skips.map { ($0, $1.full(calls: calls, threshold: threshold)) })
        }
        let least = price.work(schedule(.infinity), calls: calls)
        guard price.allows(least, within: evaluations) else { throw context.tooSmall(for: name, least: least) }
        let threshold = ThresholdSearch.lowest(
            from: 0.18, within: Double(evaluations),
            step: price.evaluations(price.branches * (network.layerKinds.map(price.layers).min() ?? 0))
        ) { price.evaluations(price.work(schedule($0), calls: calls)) }
        return run(schedule(threshold), in: context)
    }

    private func run(_ schedule: LayerForecastCache.Schedule, in context: StrategyContext) -> PreparedStrategy {
        let network = context.network
        return PreparedStrategy(in: context) { _ in
            LayerForecastCache(schedule, order: 0, basis: .taylor, network: network)
        }
    }
}

/// SmoothCache's schedule of one kind of layer: greedily skips as many calls as the calibrated error allows.
struct SkipSchedule {
    /// errors[k − 1][n]: the relative L1 change of the layers' output from call n to call n + k; 0 where there is none.
    let errors: [[Double]]

    /// Which of `calls` calls are full when a change of at most `threshold` is accepted; the first and the last are.
    func full(calls: Int, threshold: Double) -> [Bool] {
        var full = Array(repeating: false, count: calls)
        var call = 0
        while call < calls {
            full[call] = true
            let longest = min(errors.count, calls - 2 - call)
            let skipped = stride(from: longest, to: 0, by: -1).first { errors[$0 - 1][call] <= threshold }
            call += 1 + (skipped ?? 0)
        }
        return full
    }
}
