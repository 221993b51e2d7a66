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
