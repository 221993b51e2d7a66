import Caching

/// MagCache (Ma et al., arXiv 2506.09045): reuses the stack's residual while its calibrated size has changed little, after a
/// fifth of the run.
///
/// The threshold is solved from the budget; published from 0.06 to 0.24. At most 5 calls in a row are reused, as
/// published, or as many more as the budget requires.
struct MagCacheStrategy: ReuseStrategy {
    let name = "magcache"

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> any PreparedStrategy {
        let calls = context.calls.count
        let allowed = try context.callBudget(budget, reusedBlocks: 0, fewest: 1, name: name)
        guard allowed.full < calls else { return run(Array(repeating: true, count: calls), in: context) }
        let runs = try context.recorded()
        let schedule = MagnitudeSchedule(
            ratios: (0..<calls).map { call in
                runs.reduce(0) { $0 + $1.residualRatios[call] } / Double(runs.count)
            })
        let warmUp = OnlineSchedule.warmUp(calls / 5, full: allowed.full)
        // After the warm-up, `longest` + 1 calls cost one full call.
        let longest = max(5, (calls - warmUp) / (allowed.full - warmUp + 1))
        func full(_ threshold: Double) -> [Bool] {
            schedule.full(threshold: threshold, longest: longest, warmUp: warmUp)
        }
        let threshold = ThresholdSearch.lowest(from: 0.12, within: Double(allowed.full), step: 1) { threshold in
            Double(full(threshold).count { $0 })
        }
        return run(full(threshold), in: context)
    }

    private func run(_ full: [Bool], in context: StrategyContext) -> BlockCacheRun {
        let stack = context.network.stack
        return BlockCacheRun(in: context) { _ in StackResidualCache(FixedDecision(full), stack: stack) }
    }
}
