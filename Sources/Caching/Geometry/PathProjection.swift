import Compute

/// One run's path seen in its own frame (u, w1, w2): u from its first state to its last, w1 and w2 the two directions in
/// which it strays the furthest from there.
///
/// Chen et al. (arXiv 2405.11326) found such paths to be almost flat and of one shape, whatever the sample.
public struct PathProjection: Equatable, Sendable {
    /// The path's corners in the frame, in order; the first is 0.
    public let points: [SIMD3<Double>]
    /// Each corner's distance from the straight line between the first and the last.
    public let deviations: [Double]
    /// The length of each piece between two corners.
    public let pieces: [Double]
    /// The distance from the first corner to the last.
    public let displacement: Double
    /// How much of the path the frame holds.
    public let explained: ExplainedVariance

    /// Projects a recorded run.
    ///
    /// - Throws: ``LinearAlgebraError`` when the run has diverged.
    public init(of trajectory: Trajectory) throws(LinearAlgebraError) {
        try self.init(corners: trajectory.corners)
    }

    /// Projects the polyline through `corners`, all of one size, at least one.
    init(corners: [Tensor]) throws(LinearAlgebraError) {
        let size = corners[0].count
        var path = Matrix(rows: corners.count, columns: size)  // relative to the first corner
        for (row, corner) in corners.enumerated() {
            for i in 0..<size { path[row, i] = Double(corner.values[i]) - Double(corners[0].values[i]) }
        }
        pieces = (1..<max(1, corners.count)).map { row in
            var sum = 0.0
            for i in 0..<size {
                let step = path[row, i] - path[row - 1, i]
                sum += step * step
            }
            return sum.squareRoot()
        }
        let last = corners.count - 1
        var length = 0.0
        for i in 0..<size { length += path[last, i] * path[last, i] }
        let distance = length.squareRoot()
        displacement = distance

        let unit = (0..<size).map { distance > 0 ? path[last, $0] / distance : 0 }
        var residual = path
        var along = [Double](repeating: 0, count: corners.count)
        for row in 0..<corners.count {
            for i in 0..<size { along[row] += path[row, i] * unit[i] }
            for i in 0..<size { residual[row, i] -= along[row] * unit[i] }
        }
        deviations = (0..<corners.count).map { row in
            var sum = 0.0
            for i in 0..<size { sum += residual[row, i] * residual[row, i] }
            return sum.squareRoot()
        }
        let decomposition = try SingularValueDecomposition(residual)
        let planar = (0..<2).map { Self.coordinates(of: residual, along: $0, of: decomposition) }
        points = along.indices.map { SIMD3(along[$0], planar[0][$0], planar[1][$0]) }
        explained = ExplainedVariance(path: path, coordinates: [along, planar[0], planar[1]])
    }

    /// The corners' coordinates along a singular direction, which points to where the path strays the furthest.
    private static func coordinates(
        of residual: Matrix, along axis: Int, of decomposition: SingularValueDecomposition
    ) -> [Double] {
        let directions = decomposition.rightTransposed
        guard axis < directions.rows else { return Array(repeating: 0, count: residual.rows) }
        let values = (0..<residual.rows).map { row in
            (0..<residual.columns).reduce(0) { $0 + residual[row, $1] * directions[axis, $1] }
        }
        let furthest = values.max { abs($0) < abs($1) } ?? 0
        return furthest < 0 ? values.map { -$0 } : values
    }
}

/// How much of a path's variance (of its corners about their mean) lies along each axis of its frame.
public struct ExplainedVariance: Equatable, Codable, Sendable {
    /// The share along the displacement, u.
    public let displacement: Double
    /// The share along w1.
    public let first: Double
    /// The share along w2.
    public let second: Double
    /// The share of w1 and w2 in what is not along u: how flat the path is.
    public let plane: Double

    /// Joins the shares.
    public init(displacement: Double, first: Double, second: Double, plane: Double) {
        self.displacement = displacement
        self.first = first
        self.second = second
        self.plane = plane
    }

    /// The share that the whole frame holds.
    public var total: Double { displacement + first + second }

    /// Of a path (corners, size) with its coordinates along three orthonormal axes; a path without extent is all there.
    init(path: Matrix, coordinates: [[Double]]) {
        var total = 0.0
        for column in 0..<path.columns {
            total += Self.variance((0..<path.rows).map { path[$0, column] })
        }
        let axes = coordinates.map(Self.variance)
        let (whole, rest) = (total, total - axes[0])
        func share(_ part: Double, of whole: Double) -> Double { whole > 0 ? min(1, part / whole) : 0 }
        // What rounding leaves of a straight line has no shape.
        let isStraight = rest <= whole * 1e-12
        self.init(
            displacement: share(axes[0], of: whole), first: share(axes[1], of: whole),
            second: share(axes[2], of: whole), plane: isStraight ? 1 : share(axes[1] + axes[2], of: rest))
    }

    private static func variance(_ values: [Double]) -> Double {
        let mean = values.reduce(0, +) / Double(values.count)
        return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    }
}

/// The projected paths of several runs, turned about their displacement until they lie upon each other.
///
/// The axes w1 and w2 are each run's own, so two runs of one shape may come out turned or mirrored. Orthogonal
/// Procrustes (Schönemann, Psychometrika 31 (1966), 1) finds the turn that brings a path nearest to another; here, to
/// the mean of all.
public struct PathAlignment: Equatable, Sendable {
    /// Each run's path after turning.
    public let paths: [[SIMD3<Double>]]
    /// Their mean.
    public let mean: [SIMD3<Double>]

    /// How often all are aligned to their mean, which then changes little.
    private static let rounds = 3

    /// Aligns paths of one length.
    ///
    /// The first run's axes stay where they are in the first round, in which the others turn towards it.
    ///
    /// - Throws: ``LinearAlgebraError``.
    public init(_ paths: [[SIMD3<Double>]]) throws(LinearAlgebraError) {
        precondition(!paths.isEmpty && paths.allSatisfy { $0.count == paths[0].count }, "paths of one length")
        var (aligned, reference) = (paths, paths[0])
        for _ in 0..<Self.rounds where paths.count > 1 {
            for run in aligned.indices { aligned[run] = try Self.turned(aligned[run], towards: reference) }
            reference = Self.mean(of: aligned)
        }
        self.paths = aligned
        mean = reference
    }

    /// The path turned or mirrored in the (w1, w2) plane so that the squared distances to `reference` are the least.
    static func turned(
        _ path: [SIMD3<Double>], towards reference: [SIMD3<Double>]
    ) throws(LinearAlgebraError) -> [SIMD3<Double>] {
        func plane(_ points: [SIMD3<Double>]) -> Matrix {
            Matrix(rows: points.count, columns: 2, elements: points.flatMap { [$0.y, $0.z] })
        }
        let own = plane(path)
        let decomposition = try SingularValueDecomposition(own.transposed * plane(reference))
        let turned = own * (decomposition.left * decomposition.rightTransposed)
        return path.indices.map { SIMD3(path[$0].x, turned[$0, 0], turned[$0, 1]) }
    }

    private static func mean(of paths: [[SIMD3<Double>]]) -> [SIMD3<Double>] {
        paths[0].indices.map { point in
            paths.reduce(SIMD3<Double>.zero) { $0 + $1[point] } / Double(paths.count)
        }
    }
}
