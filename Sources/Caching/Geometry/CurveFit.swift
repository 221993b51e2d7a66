/// Curvature and torsion of a curve in space at one of its points, by least squares over its neighbours.
///
/// With d the signed length along the polyline, the neighbours' distance vectors are fitted by
/// D = r′ d + r″ d²/2 + r‴ d³/6; then κ = |r′ × r″| / |r′|³ and τ = (r′ × r″) · r‴ / |r′ × r″|² (the scheme that Chen et
/// al., arXiv 2405.11326, take over from Lewiner et al., Computers & Graphics 29 (2005), 641).
public struct CurveFit: Equatable, Sendable {
    /// κ, per unit of length.
    public let curvature: Double
    /// τ, per unit of length; nil where the curve is straight, so that no plane is defined from which it could turn.
    public let torsion: Double?

    /// Curves of which the turning over the window is below this are straight but for rounding.
    private static let straight = 1e-6

    /// Fits every point of a curve.
    ///
    /// The window lies around the point and is moved inwards at the ends of the curve.
    ///
    /// - Parameters:
    ///   - points: The curve's points, in order.
    ///   - window: The number of points to fit, at least 5.
    /// - Returns: One fit per point; nil where points coincide, and everywhere if there are fewer than five points.
    /// - Throws: ``LinearAlgebraError``.
    public static func fits(
        of points: [SIMD3<Double>], window: Int = 7
    ) throws(LinearAlgebraError) -> [CurveFit?] {
        precondition(window >= 5, "three coefficients need a window of five points, not \(window)")
        var lengths = [0.0]
        for (a, b) in zip(points, points.dropFirst()) { lengths.append((lengths.last ?? 0) + (b - a).length) }
        let width = min(window, points.count)
        guard width >= 5 else { return Array(repeating: nil, count: points.count) }
        var fits: [CurveFit?] = []
        for centre in points.indices {
            let start = min(max(0, centre - width / 2), points.count - width)
            let neighbours = (start..<start + width).filter { $0 != centre }
            fits.append(try CurveFit(at: centre, from: neighbours, points: points, lengths: lengths))
        }
        return fits
    }

    private init?(
        at centre: Int, from neighbours: [Int], points: [SIMD3<Double>], lengths: [Double]
    ) throws(LinearAlgebraError) {
        let distances = neighbours.map { lengths[$0] - lengths[centre] }
        // Lengths are measured in half-windows, so that the three columns are of one size.
        let unit = distances.reduce(0) { max($0, abs($1)) }
        guard unit > 0 else { return nil }
        var powers = Matrix(rows: neighbours.count, columns: 3)
        var vectors = Matrix(rows: neighbours.count, columns: 3)
        for (row, neighbour) in neighbours.enumerated() {
            let d = distances[row] / unit
            let vector = (points[neighbour] - points[centre]) / unit
            for (column, power) in [d, d * d / 2, d * d * d / 6].enumerated() { powers[row, column] = power }
            for axis in 0..<3 { vectors[row, axis] = vector[axis] }
        }
        let fit = try LeastSquares(powers, vectors)
        guard fit.rank == 3 else { return nil }
        let derivatives = (0..<3).map { row in
            SIMD3(fit.solution[row, 0], fit.solution[row, 1], fit.solution[row, 2])
        }
        let speed = derivatives[0].length
        guard speed > 0 else { return nil }
        let binormal = derivatives[0].cross(derivatives[1])
        let turning = binormal.length / (speed * speed * speed)
        curvature = turning / unit
        torsion =
            turning > Self.straight ? binormal.dot(derivatives[2]) / (binormal.dot(binormal) * unit) : nil
    }
}

extension SIMD3<Double> {
    func dot(_ other: Self) -> Double { (self * other).sum() }

    var length: Double { dot(self).squareRoot() }

    func cross(_ b: Self) -> Self {
        SIMD3(y * b.z - z * b.y, z * b.x - x * b.z, x * b.y - y * b.x)
    }
}
