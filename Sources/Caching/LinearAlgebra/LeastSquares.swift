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

/// The ridge regression of a few unknowns from their inner products, by Cholesky's factorisation.
///
/// Planning solves some hundred thousand of these with up to six unknowns, where a call of LAPACK would cost ten times
/// the arithmetic. The ridge keeps the matrix definite.
enum NormalEquations {
    /// Solves (A + λ tr(A)/n I) w = y in place.
    ///
    /// - Parameters:
    ///   - products: A, the unknowns' inner products, (n, n); overwritten. Only the lower triangle is read.
    ///   - right: y; becomes w. All zeros where A is.
    ///   - ridge: λ, relative to the mean of A's diagonal.
    static func solve(_ products: inout [Double], _ right: inout [Double], ridge: Double) {
        let n = right.count
        let trace = (0..<n).reduce(0) { $0 + products[$1 * n + $1] }
        guard trace > 0, trace.isFinite else {
            for i in 0..<n { right[i] = 0 }
            return
        }
        let added = ridge * trace / Double(n)
        for j in 0..<n {
            var pivot = products[j * n + j] + added
            for k in 0..<j { pivot -= products[j * n + k] * products[j * n + k] }
            // Rounding can leave a little less than nothing of a direction that the others span: it gets no weight.
            let root = max(pivot, added * 1e-3).squareRoot()
            products[j * n + j] = root
            for i in j + 1..<max(n, j + 1) {
                var sum = products[i * n + j]
                for k in 0..<j { sum -= products[i * n + k] * products[j * n + k] }
                products[i * n + j] = sum / root
            }
        }
        for i in 0..<n {
            for k in 0..<i { right[i] -= products[i * n + k] * right[k] }
            right[i] /= products[i * n + i]
        }
        for i in (0..<n).reversed() {
            for k in i + 1..<max(n, i + 1) { right[i] -= products[k * n + i] * right[k] }
            right[i] /= products[i * n + i]
        }
    }
}
