import Caching
import Compute
import Models

/// Runs the first blocks of every call as a probe, and decides by them whether the others are run or reused.
///
/// FBCache (https://github.com/chengzeyi/ParaAttention; one block) and DBCache (cache-dit; several) compare the probe's
/// residual with that of the last full call and hold the residual of the other blocks. DiCache (Bu et al., arXiv
/// 2508.17356) adds up the probe's change from call to call, and carries the residual of the whole stack along the
/// line through the last two full calls, as far as the probe's residual has gone on its own.
final class ProbeCache: SiteInterceptor {
    /// When the other blocks are reused, and what stands for them.
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
