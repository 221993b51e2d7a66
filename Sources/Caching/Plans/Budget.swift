/// The share of a full run's evaluations that may be spent, in (0, 1].
///
/// Read as a decimal: 0.29 of 100 evaluations is 29, although the binary number nearest to 0.29 times 100 is below it.
public struct Budget: Hashable, Sendable, Codable {
    /// The share.
    public let share: Double

    /// A budget from a number.
    ///
    /// - Throws: ``PlanError/budgetOutOfRange(_:)`` unless it is above 0 and at most 1.
    public init(_ share: Double) throws(PlanError) {
        guard share > 0, share <= 1 else { throw .budgetOutOfRange("\(share)") }
        self.share = share
    }

    public init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(Double.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(share)
    }

    /// The most evaluations that may be spent where the full run has `total`: floor(share · total).
    public func evaluations(of total: Int) -> Int {
        // A decimal of up to 12 digits times a run's length is a whole number to within 1e-9 when it is meant to be one.
        Int((share * Double(total) + 1e-9).rounded(.down))
    }
}
