import Glibc

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
