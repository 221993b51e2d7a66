import Caching
import Compute
import Models
import Pipeline

/// Full once the change of block 0's modulated input, call by call, has added up to a threshold: TeaCache's rule (Liu et
/// al., arXiv 2411.19108), and on a filtered input SeaCache's.
final class ModulatedInputDecision: CallDecision {
    private let threshold: Double
    private let estimate: (Double) -> Double
    private let filter: TokenFilter?
    private weak var base: NetworkDenoiser?
    private let inputs: [RecentFeatures]
    private var schedule: OnlineSchedule
    private var accumulated = 0.0

    /// - Parameters:
    ///   - threshold: What the accumulated change has to reach.
    ///   - schedule: Keeps the budget.
    ///   - base: The model of the image.
    ///   - stack: The site of the stack.
    ///   - estimate: The change of the output, from that of the input.
    ///   - filter: Filters the input before it is compared.
    init(
        threshold: Double, schedule: OnlineSchedule, base: NetworkDenoiser, stack: Site,
        estimate: @escaping (Double) -> Double = { $0 }, filter: TokenFilter? = nil
    ) {
        self.threshold = threshold
        self.schedule = schedule
        self.base = base
        self.estimate = estimate
        self.filter = filter
        inputs = (0..<2).map { _ in RecentFeatures(2, shape: stack.shape) }
    }

    func isFull(
        _ call: Int, entries: BatchSubset, input: (_ entry: Int) -> UnsafeBufferPointer<Float>
    ) -> Bool {
        var sums = AbsoluteSums()
        for entry in entries {
            let features = inputs[entry]
            let current = features.slot(of: call)
            base?.writeFirstInput(of: input(entry), call: call, entry: entry, into: current)
            filter?.apply(to: current, call: call)
            if call > 0 { sums.add(UnsafeBufferPointer(current.values), features.values(of: call - 1)) }
        }
        accumulated += max(0, estimate(sums.relative))
        let isFull = schedule.decides(at: call, wanted: accumulated >= threshold)
        if isFull { accumulated = 0 }
        return isFull
    }
}
