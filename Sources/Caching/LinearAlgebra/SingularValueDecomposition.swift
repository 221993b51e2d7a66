import CLAPACKE
import CLAPACKELoader

/// The thin singular value decomposition A = U diag(s) Vᵀ (LAPACK's `dgesdd`).
public struct SingularValueDecomposition: Sendable {
    /// U, (m, k) with k = min(m, n): orthonormal columns.
    public let left: Matrix
    /// s, k numbers, the largest first, none negative.
    public let values: [Double]
    /// Vᵀ, (k, n): orthonormal rows.
    public let rightTransposed: Matrix

    /// Decomposes a matrix of any shape and rank.
    ///
    /// - Throws: ``LinearAlgebraError``.
    public init(_ matrix: Matrix) throws(LinearAlgebraError) {
        let (m, n) = (matrix.rows, matrix.columns)
        let k = min(m, n)
        var (a, s) = (matrix.elements, [Double](repeating: 0, count: k))
        var (u, v) = ([Double](repeating: 0, count: m * k), [Double](repeating: 0, count: k * n))
        if k > 0 {
            try LAPACK.call("singular value decomposition", on: [matrix]) { lapacke in
                lapacke.dgesdd(
                    LAPACK_ROW_MAJOR, CChar(UInt8(ascii: "S")), Int32(m), Int32(n), &a, Int32(n), &s, &u,
                    Int32(k), &v, Int32(n))
            }
        }
        left = Matrix(rows: m, columns: k, elements: u)
        values = s
        rightTransposed = Matrix(rows: k, columns: n, elements: v)
    }
}
