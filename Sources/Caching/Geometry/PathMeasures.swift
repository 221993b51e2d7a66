/// What is measured at one model call on a series of outputs e_n: a number in one run, a spread over several.
///
/// The outputs are directions dz/ds, s the path position. The cache noise q_n = e_{n−1} − e_n is what holding the last
/// output would bring in at call n. Quantities that look back do not exist at the first calls.
public struct DirectionMeasures<Value> {
    /// |e_n|.
    public var norm: Value
    /// |s after the call − s_n| · |e_n|, the length of the path's next piece.
    public var arcLength: Value
    /// The angle between e_n and e_{n−1}, in radians.
    public var turningAngle: Value
    /// The turning angle over |s_n − s_{n−1}| · |e_n|: per unit of length rather than per call.
    public var curvature: Value
    /// |q_n| / |e_n|.
    public var noise: Value
    /// ρ_n = ⟨q_n, q_{n−1}⟩ / (|q_n| |q_{n−1}|).
    public var noiseCorrelation: Value
    /// γ_n = ⟨q_n, q_{n−1}⟩ / |q_{n−1}|², the best factor from the last cache noise to this one.
    public var noiseGain: Value
    /// The share of |q_n|² in each frequency band, lowest first, relative to |e_n|²: they add up to the square of
    /// ``noise``.
    public var noiseEnergy: [Value]

    /// Every measure, changed by `change`.
    public func map<Result>(_ change: (Value) -> Result) -> DirectionMeasures<Result> {
        DirectionMeasures<Result>(
            norm: change(norm), arcLength: change(arcLength), turningAngle: change(turningAngle),
            curvature: change(curvature), noise: change(noise), noiseCorrelation: change(noiseCorrelation),
            noiseGain: change(noiseGain), noiseEnergy: noiseEnergy.map(change))
    }

    /// Every measure with its name, in the order of the declaration.
    public var named: [(name: String, value: Value)] {
        [
            ("norm", norm), ("arcLength", arcLength), ("turningAngle", turningAngle), ("curvature", curvature),
            ("noise", noise), ("noiseCorrelation", noiseCorrelation), ("noiseGain", noiseGain),
        ] + noiseEnergy.enumerated().map { ("noiseEnergy\($0)", $1) }
    }
}

extension DirectionMeasures: Equatable where Value: Equatable {}
extension DirectionMeasures: Encodable where Value: Encodable {}
extension DirectionMeasures: Decodable where Value: Decodable {}
extension DirectionMeasures: Sendable where Value: Sendable {}

extension DirectionMeasures<Moments> {
    /// Of no run.
    init(bandCount: Int) {
        let none = Moments()
        self.init(
            norm: none, arcLength: none, turningAngle: none, curvature: none, noise: none, noiseCorrelation: none,
            noiseGain: none, noiseEnergy: Array(repeating: none, count: bandCount))
    }

    /// Takes in one run.
    mutating func add(_ run: DirectionMeasures<Double?>) {
        norm.add(run.norm)
        arcLength.add(run.arcLength)
        turningAngle.add(run.turningAngle)
        curvature.add(run.curvature)
        noise.add(run.noise)
        noiseCorrelation.add(run.noiseCorrelation)
        noiseGain.add(run.noiseGain)
        for band in noiseEnergy.indices { noiseEnergy[band].add(run.noiseEnergy[band]) }
    }
}

/// What is measured at one corner of a path: a number in one run, a spread over several.
public struct StateMeasures<Value> {
    /// The distance from the straight line between the first state and the last.
    public var deviation: Value
    /// The distance to the next corner.
    public var piece: Value
    /// The curvature of the path in its frame (u, w1, w2), by least squares over a window.
    public var curvature: Value
    /// Its torsion there.
    public var torsion: Value

    /// Joins the measures.
    public init(deviation: Value, piece: Value, curvature: Value, torsion: Value) {
        self.deviation = deviation
        self.piece = piece
        self.curvature = curvature
        self.torsion = torsion
    }

    /// Every measure, changed by `change`.
    public func map<Result>(_ change: (Value) -> Result) -> StateMeasures<Result> {
        StateMeasures<Result>(
            deviation: change(deviation), piece: change(piece), curvature: change(curvature), torsion: change(torsion))
    }

    /// Every measure with its name, in the order of the declaration.
    public var named: [(name: String, value: Value)] {
        [("deviation", deviation), ("piece", piece), ("windowedCurvature", curvature), ("torsion", torsion)]
    }
}

extension StateMeasures: Equatable where Value: Equatable {}
extension StateMeasures: Encodable where Value: Encodable {}
extension StateMeasures: Decodable where Value: Decodable {}
extension StateMeasures: Sendable where Value: Sendable {}

extension StateMeasures<Moments> {
    /// Of no run.
    init() {
        self.init(deviation: Moments(), piece: Moments(), curvature: Moments(), torsion: Moments())
    }
}

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
