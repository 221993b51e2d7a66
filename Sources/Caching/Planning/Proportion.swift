/// A share of a sample, and an interval that holds the share of all images with a probability of about 95 %.
public struct Proportion: Codable, Equatable, Sendable {
    /// How many of the sample have the property.
    public let count: Int
    public let share: Double
    /// The interval of Wilson (1927), https://doi.org/10.1080/01621459.1927.10502953. Unlike the usual one it is wider
    /// than nothing where none or all of the sample have the property.
    public let low: Double
    public let high: Double

    /// `count` of a sample of `total`, which is not empty.
    public init(_ count: Int, of total: Int) {
        precondition((0...total).contains(count) && total > 0, "\(count) of \(total)")
        let (n, z) = (Double(total), 1.959963984540054)
        let share = Double(count) / n
        let centre = (share + z * z / (2 * n)) / (1 + z * z / n)
        let half = z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
        self.count = count
        self.share = share
        low = count == 0 ? 0 : centre - half
        high = count == total ? 1 : centre + half
    }

    /// The share in per cent with one digit after the point, for messages.
    public var percent: String { Self.percent(share) }
    /// The interval in per cent, such as "94.3 to 99.6 %".
    public var percentInterval: String { "\(Self.percent(low)) to \(Self.percent(high)) %" }

    private static func percent(_ share: Double) -> String { "\((share * 1000).rounded() / 10)" }
}
