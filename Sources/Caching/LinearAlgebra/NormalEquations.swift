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
