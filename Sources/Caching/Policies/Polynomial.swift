/// A polynomial in one variable, fitted by least squares.
public struct Polynomial: Equatable, Sendable {
    /// The coefficients, of the constant term first.
    public let coefficients: [Double]

    /// A polynomial from its coefficients.
    public init(coefficients: [Double]) {
        self.coefficients = coefficients
    }

    /// The polynomial of degree `degree` (less for fewer points) nearest to the points.
    ///
    /// - Throws: ``LinearAlgebraError``.
    public init(fitting points: [(x: Double, y: Double)], degree: Int) throws(LinearAlgebraError) {
        let terms = min(degree + 1, points.count)
        // Powers of x over its largest value: the columns are then of one size.
        let scale = points.map { abs($0.x) }.max() ?? 0
        guard terms > 0, scale > 0 else {
            coefficients = []
            return
        }
        let powers = points.flatMap { point in (0..<terms).map { Self.power(point.x / scale, $0) } }
        let solution = try LeastSquares(
            Matrix(rows: points.count, columns: terms, elements: powers),
            Matrix(rows: points.count, columns: 1, elements: points.map(\.y)), tolerance: 1e-10
        ).solution.elements
        coefficients = (0..<terms).map { solution[$0] / Self.power(scale, $0) }
    }

    /// Its value at `x`.
    public func callAsFunction(_ x: Double) -> Double {
        coefficients.reversed().reduce(0) { $0 * x + $1 }
    }

    private static func power(_ x: Double, _ exponent: Int) -> Double {
        (0..<exponent).reduce(1) { product, _ in product * x }
    }
}
