import Glibc
import Sampling

/// What is left in the final sample of an error in the state, measured and not assumed.
///
/// A run that has strayed is led back, or not, at each step that is evaluated: the ratio of its distance from the
/// uncached run after and before. The product of these ratios to the end is the gain. One cheap run gives all of them:
/// it holds every other output, and so strays on purpose. Means are taken of logarithms, because a few images that
/// stand between two pictures would otherwise decide for all.
public struct ClosedLoopGain: Equatable, Sendable {
    private var sums: [Double]
    private var counts: [Int]

    /// Nothing measured yet, for a run of `calls` model calls.
    public init(calls: Int) {
        sums = Array(repeating: 0, count: calls)
        counts = Array(repeating: 0, count: calls)
    }

    /// Takes in one run.
    ///
    /// - Parameters:
    ///   - distances: |z − z_ref|² before each call, and after the last one.
    ///   - plan: what the run evaluated.
    public mutating func add(distances: [Double], plan: ReusePlan) {
        precondition(distances.count == counts.count + 1 && plan.calls == counts.count, "distances of another run")
        for call in counts.indices where plan.evaluated[call] == plan.branches {
            let (before, after) = (distances[call], distances[call + 1])
            guard before > 0, after > 0, before.isFinite, after.isFinite else { continue }
            sums[call] += log(after / before) / 2
            counts[call] += 1
        }
    }

    /// The plan of a run to measure with: every other call, and the last one.
    public static func plan(calls: Int, branches: GuidanceBranches) -> ReusePlan {
        let steps = (0..<calls).map { $0 == 0 || (calls - 1 - $0).isMultiple(of: 2) }
        return ReusePlan(steps: steps, branches: branches)
    }

    /// For each call, the distance in the final sample per unit of distance after the call.
    ///
    /// Calls that were not measured take the rate of those beside them; without any measurement every gain is 1.
    public var values: [Double] {
        let known = counts.indices.filter { counts[$0] > 0 }
        guard let first = known.first, let last = known.last else { return counts.map { _ in 1 } }
        var rates = [Double](repeating: 0, count: counts.count)
        for call in counts.indices {
            let below = known.last { $0 <= call } ?? first
            let above = known.first { $0 >= call } ?? last
            let (a, b) = (sums[below] / Double(counts[below]), sums[above] / Double(counts[above]))
            let share = above == below ? 0 : Double(call - below) / Double(above - below)
            rates[call] = a + share * (b - a)
        }
        var gains = [Double](repeating: 1, count: counts.count)
        for call in counts.indices.dropLast().reversed() { gains[call] = gains[call + 1] * exp(rates[call + 1]) }
        return gains
    }
}
