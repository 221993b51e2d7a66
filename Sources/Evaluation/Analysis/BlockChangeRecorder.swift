import Caching
import Compute
import Models

/// Watches a network's sites and measures how much each one's output changes from call to call, over any number of runs.
///
/// Of the outputs themselves only the last of each site and guidance branch is kept, (T, D) each.
final class BlockChangeRecorder: SiteInterceptor {
    /// One site of the network, as one guidance branch (batch entry) sees it.
    struct Row: Hashable {
        let site: Site.ID
        let entry: Int
    }

    /// The changes of one row at one call, over the runs.
    struct Changes {
        var relativeL1 = Moments()
        var relativeL2 = Moments()
        var cosine = Moments()
    }

    /// What has been seen of one row.
    private final class History {
        let last: Tensor
        /// The call that ``last`` is of.
        var call: Int?
        var changes: [Changes]

        init(count: Int, calls: Int) {
            last = Tensor([count])
            changes = Array(repeating: Changes(), count: calls)
        }
    }

    private let calls: Int
    private var histories: [Row: History] = [:]

    /// A recorder for runs of `calls` model calls.
    init(calls: Int) {
        self.calls = calls
    }

    func observe(
        _ site: Site.ID, call: Int, entry: Int, input: UnsafeBufferPointer<Float>, output: UnsafeBufferPointer<Float>
    ) {
        let row = Row(site: site, entry: entry)
        let history = histories[row] ?? History(count: output.count, calls: calls)
        histories[row] = history
        // What the stack adds to its input; a block's parts are observed before they are added to theirs.
        let change = BlockChange(output, less: site == .stack ? input : nil, replacing: history.last.values)
        // The first call of a run has none before it: what is there then is the end of another run.
        if let change, let before = history.call, call == before + 1 {
            history.changes[call].relativeL1.add(change.relativeL1)
            history.changes[call].relativeL2.add(change.relativeL2)
            history.changes[call].cosine.add(change.cosine)
        }
        history.call = call
    }

    /// The changes of a row, one entry per call; nil for a row that has not been seen.
    func changes(of row: Row) -> [Changes]? { histories[row]?.changes }
}

/// How far an output of the network has moved since the model call before.
struct BlockChange: Equatable {
    /// mean|a − b| / mean|b|, with b the output at the call before.
    let relativeL1: Double
    /// |a − b| / |b|.
    let relativeL2: Double
    /// ⟨a, b⟩ / (|a| |b|); nil where a is zero.
    let cosine: Double?

    /// Compares `output` (less `input`, if there is one) with `last`, and leaves it there.
    ///
    /// - Returns: The change; nil if the output before was zero.
    init?(
        _ output: UnsafeBufferPointer<Float>, less input: UnsafeBufferPointer<Float>?,
        replacing last: UnsafeMutableBufferPointer<Float>
    ) {
        precondition(output.count == last.count, "outputs of \(last.count) and of \(output.count) numbers")
        var (change, size) = (0.0, 0.0)
        var (changeSquared, product, nowSquared, beforeSquared) = (0.0, 0.0, 0.0, 0.0)
        for i in 0..<last.count {
            let now = input.map { output[i] - $0[i] } ?? output[i]
            let (a, b) = (Double(now), Double(last[i]))
            last[i] = now
            change += abs(a - b)
            size += abs(b)
            changeSquared += (a - b) * (a - b)
            product += a * b
            nowSquared += a * a
            beforeSquared += b * b
        }
        guard beforeSquared > 0 else { return nil }
        relativeL1 = change / size
        relativeL2 = (changeSquared / beforeSquared).squareRoot()
        cosine = nowSquared > 0 ? product / (nowSquared * beforeSquared).squareRoot() : nil
    }
}
