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
        func quantile(_ share: Double) -> Double {
            let position = share * Double(sorted.count - 1)
            let below = Int(position)
            let above = min(below + 1, sorted.count - 1)
            return sorted[below] + (position - Double(below)) * (sorted[above] - sorted[below])
        }
        lower = quantile(0.25)
        median = quantile(0.5)
        upper = quantile(0.75)
    }

    /// The same of a sample that may be empty; nil if it is.
    public init?(unlessEmpty sample: [Double]) {
        guard !sample.isEmpty else { return nil }
        self.init(sample)
    }
}
