import Glibc

/// What the sorted values of a sample say about the distribution that they come from.
enum OrderStatistics {
    /// The probability that an interval misses on either side.
    private static let miss = 0.025

    /// The value that `share` of a sample are below, interpolated linearly between its neighbours.
    ///
    /// - Parameters:
    ///   - share: from 0 to 1.
    ///   - sorted: the sample in ascending order, not empty; its last values can be infinite.
    /// - Returns: the value.
    static func quantile(_ share: Double, of sorted: [Double]) -> Double {
        let position = share * Double(sorted.count - 1)
        let below = Int(position)
        guard position > Double(below), below + 1 < sorted.count, sorted[below + 1].isFinite else {
            return sorted[position > Double(below) ? min(below + 1, sorted.count - 1) : below]
        }
        return sorted[below] + (position - Double(below)) * (sorted[below + 1] - sorted[below])
    }

    /// The largest rank r, from 1, such that the r-th smallest of `count` values is above the true quantile of `share` with
    /// a probability of at most 2.5 %, whatever the distribution.
    ///
    /// It is above where fewer than r values are below the quantile, each of which is with the probability `share`
    /// (David & Nagaraja, Order Statistics, 2003, section 7.1).
    ///
    /// - Returns: nil where even the smallest value is above too often.
    static func rank(below share: Double, of count: Int) -> Int? {
        // The logarithm, since the probability that no value is below is too small for a Double from a few hundred on.
        var logarithm = Double(count) * log1p(-share)
        var (sum, rank) = (exp(logarithm), 0)
        while sum <= miss, rank < count {
            rank += 1
            logarithm += log(Double(count - rank + 1) / Double(rank) * share / (1 - share))
            sum += exp(logarithm)
        }
        return rank == 0 ? nil : rank
    }

    /// The smallest rank such that its value is below the true quantile with a probability of at most 2.5 %; nil where even
    /// the largest value is below too often.
    static func rank(above share: Double, of count: Int) -> Int? {
        rank(below: 1 - share, of: count).map { count + 1 - $0 }
    }
}

/// A percentile of decibels, some of which can be infinite, with an interval that holds the percentile of all images with a
/// probability of at least 95 %.
///
/// The interval is of order statistics: its ends are values of the sample whose ranks the binomial distribution gives. It
/// holds for any distribution and is the same whenever it is computed. A bootstrap has neither virtue: the percentiles of
/// its samples never go below the worst image, so for the 5th percentile of few images it is too narrow.
public struct DecibelPercentile: Codable, Equatable, Sendable {
    /// nil where it is infinite.
    public let value: Double?
    /// 0, the least that a PSNR can be, where the sample is too small to bound the percentile from below: for the 5th,
    /// fewer than 72 values. nil where it is infinite.
    public let low: Double?
    /// nil where it is infinite, as it is where the sample is too small to bound the percentile from above.
    public let high: Double?

    /// The value that `share` of a sample, which is not empty, are below; nil in the sample is infinite.
    public init(_ share: Double, of values: [Double?]) {
        precondition(!values.isEmpty, "an empty sample has no percentiles")
        func finite(_ value: Double) -> Double? { value.isFinite ? value : nil }
        let sorted = values.map { $0 ?? .infinity }.sorted()
        value = finite(OrderStatistics.quantile(share, of: sorted))
        low = finite(OrderStatistics.rank(below: share, of: sorted.count).map { sorted[$0 - 1] } ?? 0)
        high = finite(OrderStatistics.rank(above: share, of: sorted.count).map { sorted[$0 - 1] } ?? .infinity)
    }
}
