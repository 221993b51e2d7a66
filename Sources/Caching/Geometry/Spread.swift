/// The mean of a quantity over several runs, and how far the runs lie apart.
public struct Spread: Equatable, Codable, Sendable {
    /// The mean.
    public let mean: Double
    /// The sample's standard deviation, with n − 1 in the denominator; nil for a single run.
    public let standardDeviation: Double?

    /// Joins the two.
    public init(mean: Double, standardDeviation: Double?) {
        self.mean = mean
        self.standardDeviation = standardDeviation
    }
}

/// Mean and variance of numbers that come one by one (Welford, Technometrics 4 (1962), 419).
public struct Moments: Equatable, Sendable {
    /// How many numbers there were.
    public private(set) var count = 0
    private var mean = 0.0
    private var squares = 0.0  // of the distances from the mean

    /// The moments of no number.
    public init() {}

    /// The moments of the given numbers.
    public init(_ values: some Sequence<Double>) {
        for value in values { add(value) }
    }

    /// Takes in one number; a quantity that does not exist in a run is left out.
    public mutating func add(_ value: Double?) {
        guard let value else { return }
        count += 1
        let distance = value - mean
        mean += distance / Double(count)
        squares += distance * (value - mean)
    }

    /// What the numbers say; nil if there were none.
    public var spread: Spread? {
        guard count > 0 else { return nil }
        return Spread(mean: mean, standardDeviation: count > 1 ? (squares / Double(count - 1)).squareRoot() : nil)
    }
}
