import Glibc
import Sampling

/// What is left in the final sample of an error in the state, measured and not assumed.
///
/// A run that has strayed is led back, or not, at each step that is evaluated: the ratio of its distance from the
/// uncached run after and before. One cheap run gives all of these ratios: it holds every other output, and so strays on
/// purpose.
///
/// Most of a fresh error looks like noise, and the model takes it back at the measured rate; the rest stays in the
/// picture and hardly fades, but has too little of the distance to show in the ratios. And where an image stands between
/// two pictures, early errors grow instead. So the gain is a small power of the ratios' product (``trust``). Plans by the
/// product itself reuse so early that some images turn into others.
///
/// The squared distances of several images are added up, so that those that stray farthest, because they stand between
/// two pictures, count most.
public struct ClosedLoopGain: Equatable, Sendable {
    /// The power of the measured ratios of distances that gains are.
    ///
    /// On images of the embedded model that nothing else is measured on (50 DDIM steps, guidance 1.5, budgets 0.5, 0.33
    /// and 0.2), 0.5 has the highest means and turns 1, 3 and 2 of 99 images into others; 0.3 turns 0, 1 and 2 and loses 1
    /// to 2 dB of the means; 0.1 turns 0, 1 and 1 and loses 5 to 7 dB.
    static let trust = 0.3

    private var before: [Double]
    private var after: [Double]

    /// Nothing measured yet, for a run of `calls` model calls.
    public init(calls: Int) {
        before = Array(repeating: 0, count: calls)
        after = before
    }

    /// Takes in one run.
    ///
    /// - Parameters:
    ///   - distances: |z − z_ref|² before each call, and after the last one.
    ///   - plan: what the run evaluated.
    public mutating func add(distances: [Double], plan: ReusePlan) {
        precondition(distances.count == before.count + 1 && plan.calls == before.count, "distances of another run")
        for call in before.indices where plan.evaluated[call] == plan.branches {
            let pair = (distances[call], distances[call + 1])
            guard pair.0 > 0, pair.1 > 0, pair.0.isFinite, pair.1.isFinite else { continue }
            before[call] += pair.0
            after[call] += pair.1
        }
    }

    /// The plan of a run to measure with: every other call, and the last one.
    public static func plan(calls: Int, branches: GuidanceBranches) -> ReusePlan {
        let steps = (0..<calls).map { $0 == 0 || (calls - 1 - $0).isMultiple(of: 2) }
        return ReusePlan(steps: steps, branches: branches)
    }

    /// For each call, the distance in the final sample per unit of distance after the call, to the power of ``trust``.
    ///
    /// Calls that were not measured take the rate of those beside them; without any measurement every gain is 1. Of a step of
    /// two calls (Heun) the first leads to where the step ends, so its rate is that of the step, and counts twice. To count it
    /// once was measured, and is worse (docs/quality.md).
    public var values: [Double] {
        let known = before.indices.filter { before[$0] > 0 }
        guard let first = known.first, let last = known.last else { return before.map { _ in 1 } }
        // Distances are squared.
        func rate(_ call: Int) -> Double { log(after[call] / before[call]) / 2 * Self.trust }
        var gains = [Double](repeating: 1, count: before.count)
        for call in before.indices.dropLast().reversed() {
            let next = call + 1
            let (below, above) = (known.last { $0 <= next } ?? first, known.first { $0 >= next } ?? last)
            let share = above == below ? 0 : Double(next - below) / Double(above - below)
            gains[call] = gains[next] * exp(rate(below) + share * (rate(above) - rate(below)))
        }
        return gains
    }
}
