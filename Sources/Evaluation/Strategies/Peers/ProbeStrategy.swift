import Caching
import Compute
import Models

/// Runs the first blocks of every call and decides by them about the rest: FBCache (https://github.com/chengzeyi/ParaAttention),
/// DBCache (https://github.com/vipshop/cache-dit) and DiCache (Bu et al., arXiv 2508.17356).
///
/// The threshold is solved from the budget. A reused call costs the probe, so there is a budget below which a strategy
/// cannot go. Published warm-ups are shares of the run here. The last call is full where that brings the calibration
/// images nearer to their full runs; the authors leave it to the rule.
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

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> PreparedStrategy {
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
        func run(_ threshold: Double, full: Int?, keepsLast: Bool) -> PreparedStrategy {
            PreparedStrategy(in: context) { _ in
                ProbeCache(
                    rule(threshold), depth: probe,
                    schedule: OnlineSchedule(calls: calls, full: full, warmUp: warmUp, keepsLast: keepsLast),
                    stack: stack)
            }
        }
        // The first call is always full: the last one takes a second.
        let choices = allowed.full > 1 && allowed.full < calls ? [false, true] : [false]
        return try context.best(of: choices) { keepsLast in
            let threshold = try context.threshold(from: publishedThreshold, within: allowed) {
                run($0, full: nil, keepsLast: keepsLast)
            }
            return run(threshold, full: allowed.full, keepsLast: keepsLast)
        }.strategy
    }
}

/// Runs the first blocks of every call as a probe, and decides by them whether the others are run or reused.
///
/// FBCache (https://github.com/chengzeyi/ParaAttention; one block) and DBCache (cache-dit; several) compare the probe's
/// residual with that of the last full call and hold the residual of the other blocks. DiCache (Bu et al., arXiv
/// 2508.17356) adds up the probe's change from call to call, and carries the residual of the whole stack along the
/// line through the last two full calls, as far as the probe's residual has gone on its own.
final class ProbeCache: SiteInterceptor {
    /// When the other blocks are reused, and what replaces them.
    enum Rule {
        /// While the probe's residual is nearer than `threshold` to that of the last full call.
        case residualDistance(threshold: Double)
        /// While the accumulated change of the probe's output is less than `threshold`.
        case accumulatedChange(threshold: Double)
    }

    private let rule: Rule
    private let depth: Int
    private let entries: [ProbeState]
    private let embedded: Tensor
    private var schedule: OnlineSchedule
    private var accumulated = 0.0
    private var isFull = true

    /// - Parameters:
    ///   - rule: The rule.
    ///   - depth: How many blocks are the probe.
    ///   - schedule: Keeps the budget.
    ///   - stack: The site of the stack.
    init(_ rule: Rule, depth: Int, schedule: OnlineSchedule, stack: Site) {
        self.rule = rule
        self.depth = depth
        self.schedule = schedule
        entries = (0..<2).map { _ in ProbeState(shape: stack.shape) }
        embedded = Tensor(stack.shape)
    }

    func approach(
        _ site: Site.ID, call: Int, entries subset: BatchSubset,
        input: (_ entry: Int) -> UnsafeBufferPointer<Float>
    ) {
        if site == .stack, subset.count > 0 { _ = embedded.values.update(fromContentsOf: input(subset[0])) }
        guard site == .rest(from: depth) else { return }
        var sums = AbsoluteSums()
        for entry in subset {
            let state = entries[entry]
            state.take(input(entry), embedded: embedded)
            switch rule {
            case .residualDistance: sums.add(state.residual, state.lastResidual)
            case .accumulatedChange: sums.add(state.output, state.previousOutput)
            }
        }
        let change = call > 0 ? sums.relative : 0
        switch rule {
        case .residualDistance(let threshold):
            isFull = schedule.decides(at: call, wanted: change >= threshold)
        case .accumulatedChange(let threshold):
            accumulated += change
            isFull = schedule.decides(at: call, wanted: accumulated >= threshold)
            if isFull { accumulated = 0 }
        }
    }

    func replaces(
        _ site: Site.ID, call: Int, entry: Int, input: UnsafeBufferPointer<Float>,
        output: UnsafeMutableBufferPointer<Float>
    ) -> Bool {
        guard site == .rest(from: depth), !isFull else { return false }
        switch rule {
        case .residualDistance: entries[entry].addRest(to: output)
        case .accumulatedChange: entries[entry].writeStack(embedded: embedded, to: output)
        }
        return true
    }

    func observe(
        _ site: Site.ID, call: Int, entry: Int, input: UnsafeBufferPointer<Float>,
        output: UnsafeBufferPointer<Float>
    ) {
        if site == .stack { entries[entry].keep(output, embedded: embedded) }
    }
}

/// What a ``ProbeCache`` keeps of one branch: seven features (T, D).
private final class ProbeState {
    private let probes: [Tensor]  // the probe's output at this call and the one before
    private let residuals: [Tensor]  // the probe's residual: at this call, at the last full one, at the one before that
    private let stacks: [Tensor]  // the stack's residual at the last two full calls
    private var position = 0
    private var fullCalls = 0

    init(shape: [Int]) {
        probes = (0..<2).map { _ in Tensor(shape) }
        residuals = (0..<3).map { _ in Tensor(shape) }
        stacks = (0..<2).map { _ in Tensor(shape) }
    }

    /// The probe's output at this call.
    var output: UnsafeBufferPointer<Float> { UnsafeBufferPointer(probes[position].values) }
    /// The probe's output at the call before.
    var previousOutput: UnsafeBufferPointer<Float> { UnsafeBufferPointer(probes[1 - position].values) }
    /// The probe's residual at this call.
    var residual: UnsafeBufferPointer<Float> { UnsafeBufferPointer(residuals[0].values) }
    /// The probe's residual at the last full call.
    var lastResidual: UnsafeBufferPointer<Float> { UnsafeBufferPointer(residuals[1].values) }

    /// Takes the probe's output at this call.
    func take(_ output: UnsafeBufferPointer<Float>, embedded: Tensor) {
        position = 1 - position
        _ = probes[position].values.update(fromContentsOf: output)
        let (residual, input) = (residuals[0].values, embedded.values)
        for i in 0..<residual.count { residual[i] = output[i] - input[i] }
    }

    /// Takes the stack's output at a full call, whose probe was the last one taken.
    func keep(_ output: UnsafeBufferPointer<Float>, embedded: Tensor) {
        residuals[2].copy(from: residuals[1])
        residuals[1].copy(from: residuals[0])
        stacks[1].copy(from: stacks[0])
        let (stack, input) = (stacks[0].values, embedded.values)
        for i in 0..<stack.count { stack[i] = output[i] - input[i] }
        fullCalls += 1
    }

    /// Adds the last full call's residual of the blocks behind the probe.
    func addRest(to tokens: UnsafeMutableBufferPointer<Float>) {
        let (stack, probe) = (stacks[0].values, residuals[1].values)
        for i in 0..<tokens.count { tokens[i] += stack[i] - probe[i] }
    }

    /// Writes the input of the stack plus R₂ + g (R₁ − R₂), R₁ and R₂ the stack's residuals at the last two full calls and
    /// g, between 1 and 1.5, the probe's distance to the older of them over the distance between the two.
    func writeStack(embedded: Tensor, to tokens: UnsafeMutableBufferPointer<Float>) {
        let older = UnsafeBufferPointer(residuals[2].values)
        let gone = AbsoluteSums(residual, older).difference
        let between = AbsoluteSums(lastResidual, older).difference
        let gain = fullCalls > 1 && between > 0 ? Float(min(max(gone / between, 1), 1.5)) : 1
        let (input, newest, before) = (embedded.values, stacks[0].values, stacks[1].values)
        for i in 0..<tokens.count { tokens[i] = input[i] + before[i] + gain * (newest[i] - before[i]) }
    }
}
