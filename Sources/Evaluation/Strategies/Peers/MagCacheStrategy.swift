import Caching

/// MagCache (Ma et al., arXiv 2506.09045): reuses the stack's residual while its calibrated size has changed little, after a
/// fifth of the run.
///
/// The threshold is solved from the budget; published from 0.06 to 0.24. At most 5 calls in a row are reused, as
/// published, or as many more as the budget requires.
struct MagCacheStrategy: ReuseStrategy {
    let name = "magcache"

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> PreparedStrategy {
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

    private func run(_ full: [Bool], in context: StrategyContext) -> PreparedStrategy {
        let stack = context.network.stack
        return PreparedStrategy(in: context) { _ in StackResidualCache(stack: stack) { call, _, _ in full[call] } }
    }
}

/// MagCache's schedule: reuses the stack's residual while its size, known from a calibration, has changed little.
struct MagnitudeSchedule {
    /// ratios[n]: the size of the residual at call n over that at call n − 1.
    let ratios: [Double]

    /// Which calls are full.
    ///
    /// - Parameters:
    ///   - threshold: The accumulated |1 − ratio| up to which a residual is reused.
    ///   - longest: The most calls in a row that are reused.
    ///   - warmUp: How many calls are full at the start.
    /// - Returns: For each call, whether it is full.
    func full(threshold: Double, longest: Int, warmUp: Int) -> [Bool] {
        var (ratio, error, run) = (1.0, 0.0, 0)
        return ratios.enumerated().map { call, step in
            guard call >= max(1, warmUp) else { return true }
            ratio *= step
            error += abs(1 - ratio)
            run += 1
            guard error > threshold || run > longest else { return false }
            (ratio, error, run) = (1, 0, 0)
            return true
        }
    }
}
