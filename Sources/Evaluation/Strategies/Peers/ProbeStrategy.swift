import Caching

/// Runs the first blocks of every call and decides by them about the rest: FBCache (https://github.com/chengzeyi/ParaAttention),
/// DBCache (https://github.com/vipshop/cache-dit) and DiCache (Bu et al., arXiv 2508.17356).
///
/// The threshold is solved from the budget. A reused call costs the probe, so there is a budget below which a strategy
/// cannot go. Published warm-ups are shares of the run here.
struct ProbeStrategy: ReuseStrategy {
    let name: String
    /// How many of `depth` blocks are the probe.
    let probe: @Sendable (_ depth: Int) -> Int
    /// The share of the run that is full at the start.
    let warmUp: Double
    /// The threshold to begin with.
    let publishedThreshold: Double
    /// The rule with a threshold.
    let rule: @Sendable (_ threshold: Double) -> ProbeCache.Rule

    static let fbCache = Self(
        name: "fbcache", probe: { _ in 1 }, warmUp: 0, publishedThreshold: 0.1,
        rule: { .residualDistance(threshold: $0) })
    /// Eight of FLUX's 57 blocks are the published probe; two is the least that differs from FBCache.
    static let dbCache = Self(
        name: "dbcache", probe: { max(2, ($0 * 8 + 28) / 57) }, warmUp: 8.0 / 50, publishedThreshold: 0.08,
        rule: { .residualDistance(threshold: $0) })
    static let diCache = Self(
        name: "dicache", probe: { _ in 1 }, warmUp: 0.2, publishedThreshold: 0.4,
        rule: { .accumulatedChange(threshold: $0) })

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> any PreparedStrategy {
        let (stack, calls, rule) = (context.network.stack, context.calls.count, rule)
        let depth = context.network.blockCount
        let probe = probe(depth)
        guard probe < depth else {
            throw PlanError.doesNotFit(
                "\(name) runs the first \(probe) of the model's blocks to decide about the others, and there are "
                    + "\(depth); choose another strategy")
        }
        let allowed = try context.callBudget(budget, reusedBlocks: probe, fewest: 1, name: name)
        let warmUp = OnlineSchedule.warmUp(Int((warmUp * Double(calls)).rounded()), full: allowed.full)
        func run(_ threshold: Double, full: Int?) -> BlockCacheRun {
            BlockCacheRun(in: context) { _ in
                ProbeCache(
                    rule(threshold), depth: probe,
                    schedule: OnlineSchedule(calls: calls, full: full, warmUp: warmUp, keepsLast: false),
                    stack: stack)
            }
        }
        let threshold = try context.threshold(from: publishedThreshold, within: allowed) { run($0, full: nil) }
        return run(threshold, full: allowed.full)
    }
}
