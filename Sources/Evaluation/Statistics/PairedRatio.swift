/// Ratios of timings that were taken one beside the other, pair by pair: what slows the machine down for a while slows
/// both.
public struct PairedRatio: Codable, Equatable, Sendable {
    /// The middle of the ratios and of their halves.
    public let quartiles: Quartiles
    /// An interval that holds the true median with a probability of at least 95 %, whatever the ratios' distribution;
    /// of fewer than 6 pairs, all of them, which holds it less often.
    public let low: Double
    public let high: Double
    /// How many pairs there are.
    public let pairs: Int

    /// The ratios of `numerators` to `denominators`, of which there are as many.
    public init(_ numerators: [Double], over denominators: [Double]) {
        precondition(numerators.count == denominators.count, "ratios need pairs")
        self.init(ratios: zip(numerators, denominators).map { $0 / $1 })
    }

    /// Of given ratios.
    ///
    /// The interval is that of the sign test: the k-th smallest and the k-th largest ratio, with the largest k such that
    /// fewer than k of n tosses of a coin are heads with a probability of at most 2.5 %.
    public init(ratios: [Double]) {
        quartiles = Quartiles(ratios)
        let sorted = ratios.sorted()
        let rank = Self.rank(of: sorted.count)
        low = sorted[rank]
        high = sorted[sorted.count - 1 - rank]
        pairs = ratios.count
    }

    /// k - 1 of the interval's k.
    private static func rank(of count: Int) -> Int {
        var probability = 1.0
        for _ in 0..<count { probability /= 2 }
        var (below, rank) = (probability, 0)
        while below <= 0.025, rank < count / 2 {
            rank += 1
            probability *= Double(count - rank + 1) / Double(rank)
            below += probability
        }
        return max(0, rank - 1)
    }
}
