import Glibc

/// The three numbers that cut a sample into quarters, linearly interpolated between its values.
public struct Quartiles: Codable, Equatable, Sendable {
    /// A quarter of the sample is below it.
    public let lower: Double
    public let median: Double
    /// A quarter of the sample is above it.
    public let upper: Double

    /// Interpolates between the neighbouring values of a sample, which is not empty.
    public init(_ sample: [Double]) {
        precondition(!sample.isEmpty, "an empty sample has no quartiles")
        let sorted = sample.sorted()
        lower = OrderStatistics.quantile(0.25, of: sorted)
        median = OrderStatistics.quantile(0.5, of: sorted)
        upper = OrderStatistics.quantile(0.75, of: sorted)
    }

    /// The same of a sample that may be empty; nil if it is.
    public init?(unlessEmpty sample: [Double]) {
        guard !sample.isEmpty else { return nil }
        self.init(sample)
    }
}

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
        let rank = OrderStatistics.rank(below: 0.5, of: sorted.count) ?? 1
        low = sorted[rank - 1]
        high = sorted[sorted.count - rank]
        pairs = ratios.count
    }
}

/// An interval that holds the mean of all images with a probability of 95 %, from the mean of some: Student's t, which
/// takes the values for independent and not far from normal.
public struct MeanInterval: Codable, Equatable, Sendable {
    public let low: Double
    public let high: Double

    /// The interval around the mean of a sample; nil for fewer than two values, or where one is not finite.
    public init?(_ sample: [Double]) {
        guard sample.count > 1, sample.allSatisfy(\.isFinite) else { return nil }
        let count = Double(sample.count)
        let mean = sample.reduce(0, +) / count
        let variance = sample.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
        let half = Self.quantile(degrees: sample.count - 1) * (variance / count).squareRoot()
        low = mean - half
        high = mean + half
    }

    /// The distance from the mean to either end.
    public var half: Double { (high - low) / 2 }

    /// What 95 % of Student's distribution are within, to ten digits.
    static func quantile(degrees: Int) -> Double {
        var (low, high) = (0.0, 13.0)  // 12.71 with one degree of freedom, which has the longest tails
        for _ in 0..<60 {
            let middle = (low + high) / 2
            if probability(within: middle, degrees: degrees) < 0.95 { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }

    /// The probability of |t| below `limit` (Abramowitz & Stegun, 26.7.3 and 26.7.4).
    private static func probability(within limit: Double, degrees: Int) -> Double {
        let angle = atan(limit / Double(degrees).squareRoot())
        let (sine, cosine) = (sin(angle), cos(angle))
        let isOdd = !degrees.isMultiple(of: 2)
        // Odd: cos θ + 2/3 cos³θ + …; even: 1 + 1/2 cos²θ + …
        var (term, sum) = (isOdd ? cosine : 1, 0.0)
        var power = isOdd ? 1 : 0
        while power <= degrees - 2 {
            sum += term
            term *= cosine * cosine * Double(power + 1) / Double(power + 2)
            power += 2
        }
        return isOdd ? 2 / .pi * (angle + sine * sum) : sine * sum
    }
}

/// How many times as fast a run is that leaves evaluations out.
public enum SpeedUp {
    /// A measured ratio of times, but no more than the evaluations can give: what is beyond is other work on the machine.
    ///
    /// - Parameters:
    ///   - measured: The slower run's seconds over the faster one's.
    ///   - full: The slower run's evaluations.
    ///   - spent: The faster run's evaluations.
    /// - Returns: The smaller of `measured` and `full` over `spent`.
    public static func possible(_ measured: Double, from full: Double, to spent: Double) -> Double {
        min(measured, spent > 0 ? full / spent : .infinity)
    }
}
