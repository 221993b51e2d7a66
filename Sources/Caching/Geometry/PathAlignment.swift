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
