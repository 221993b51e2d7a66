import OmniCache

/// The relative L1 change of the layers' outputs over one to ``longest`` calls, averaged over the blocks, the branches and
/// the calibration images.
final class SiteChanges {
    /// The longest distance in calls, SmoothCache's cap.
    static let longest = 3

    private let calls: Int
    private var attentionSums: [[Double]]
    private var mlpSums: [[Double]]
    private var counts: [[Int]]

    init(depth: Int, calls: Int) {
        self.calls = calls
        attentionSums = Array(repeating: Array(repeating: 0, count: calls), count: Self.longest)
        mlpSums = attentionSums
        counts = Array(repeating: Array(repeating: 0, count: calls), count: Self.longest)
    }

    /// The attention's changes: [distance − 1][call from which].
    var attention: [[Double]] { averages(attentionSums) }
    /// The MLP's changes: [distance − 1][call from which].
    var mlp: [[Double]] { averages(mlpSums) }

    func addAttention(_ change: Double, from call: Int, distance: Int) {
        attentionSums[distance - 1][call] += change
        counts[distance - 1][call] += 1
    }

    func addMLP(_ change: Double, from call: Int, distance: Int) {
        mlpSums[distance - 1][call] += change
    }

    private func averages(_ sums: [[Double]]) -> [[Double]] {
        zip(sums, counts).map { sums, counts in
            zip(sums, counts).map { $1 == 0 ? 0 : $0 / Double($1) }
        }
    }
}
