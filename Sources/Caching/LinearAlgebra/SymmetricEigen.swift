import CLAPACKE
import CLAPACKELoader

/// The eigenvalues and eigenvectors of a symmetric matrix (LAPACK's `dsyevd`).
public struct SymmetricEigen: Sendable {
    /// The eigenvalues, the smallest first.
    public let values: [Double]
    /// The eigenvectors, orthonormal, one per column.
    public let vectors: Matrix

    /// Decomposes a matrix of which the upper triangle is read.
    ///
    /// - Throws: ``LinearAlgebraError``.
    public init(_ matrix: Matrix) throws(LinearAlgebraError) {
        precondition(matrix.rows == matrix.columns, "eigenvalues of \(matrix.rows) x \(matrix.columns)")
        let n = matrix.rows
        var (a, w) = (matrix.elements, [Double](repeating: 0, count: n))
        if n > 0 {
            try LAPACK.call("eigenvalue decomposition", on: [matrix]) { lapacke in
                lapacke.dsyevd(
                    LAPACK_ROW_MAJOR, CChar(UInt8(ascii: "V")), CChar(UInt8(ascii: "U")), Int32(n), &a,
                    Int32(n), &w)
            }
        }
        values = w
        vectors = Matrix(rows: n, columns: n, elements: a)
    }
}
