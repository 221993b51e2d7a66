import Caching
import Models

/// The relative L1 change of the layers' outputs over one to ``longest`` calls, averaged over the layers of a kind, the
/// branches and the calibration images.
final class SiteChanges {
    /// The longest distance in calls, SmoothCache's cap.
    static let longest = 3

    /// Sums and counts, both [distance − 1][call from which].
    private struct Sums {
        var totals: [[Double]]
        var counts: [[Int]]
    }

    private let calls: Int
    private var sums: [LayerKind: Sums] = [:]

    init(calls: Int) {
        self.calls = calls
    }

    /// The changes of the layers of a kind: [distance − 1][call from which].
    func changes(of kind: LayerKind) -> [[Double]] {
        guard let sums = sums[kind] else {
            return Array(repeating: Array(repeating: 0, count: calls), count: Self.longest)
        }
        return zip(sums.totals, sums.counts).map { totals, counts in
            zip(totals, counts).map { $1 == 0 ? 0 : $0 / Double($1) }
        }
    }

    func add(_ change: Double, of kind: LayerKind, from call: Int, distance: Int) {
        sums[kind, default: empty].totals[distance - 1][call] += change
        sums[kind, default: empty].counts[distance - 1][call] += 1
    }

    private var empty: Sums {
        Sums(
            totals: Array(repeating: Array(repeating: 0, count: calls), count: Self.longest),
            counts: Array(repeating: Array(repeating: 0, count: calls), count: Self.longest))
    }
}
