import CLAPACKE
import CLAPACKELoader

/// The X that minimises |A X − B|² + ridge |X|², of the smallest norm where there are several (LAPACK's `dgelsd`).
public struct LeastSquares: Sendable {
    /// X, (n, r).
    public let solution: Matrix
    /// The number of singular values of A (with the ridge, if there is one) that count.
    public let rank: Int

    /// Solves for every column of `targets`.
    ///
    /// - Parameters:
    ///   - matrix: A, (m, n), of any shape and rank.
    ///   - targets: B, (m, r).
    ///   - ridge: The weight of |X|², not negative.
    ///   - tolerance: Singular values below this share of the largest count as zero.
    /// - Throws: ``LinearAlgebraError``.
    public init(
        _ matrix: Matrix, _ targets: Matrix, ridge: Double = 0, tolerance: Double = 1e-13
    ) throws(LinearAlgebraError) {
        precondition(matrix.rows == targets.rows && ridge >= 0, "least squares of mismatched matrices")
        let (n, r) = (matrix.columns, targets.columns)
        // The ridge is n more equations, √ridge X = 0.
        let m = matrix.rows + (ridge > 0 ? n : 0)
        var a = matrix.elements
        if ridge > 0 {
            let root = ridge.squareRoot()
            for i in 0..<n { for j in 0..<n { a.append(i == j ? root : 0) } }
        }
        // The routine wants room for the solution where it finds the targets.
        var b = targets.elements + [Double](repeating: 0, count: (max(m, n) - targets.rows) * r)
        var singular = [Double](repeating: 0, count: min(m, n))
        var rank: Int32 = 0
        if m > 0, n > 0, r > 0 {
            try LAPACK.call("least squares", on: [matrix, targets]) { lapacke in
                lapacke.dgelsd(
                    LAPACK_ROW_MAJOR, Int32(m), Int32(n), Int32(r), &a, Int32(n), &b, Int32(r),
                    &singular, tolerance, &rank)
            }
        }
        solution = Matrix(rows: n, columns: r, elements: Array(b.prefix(n * r)))
        self.rank = Int(rank)
    }
}
