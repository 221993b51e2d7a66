import Caching
import TestSupport
import Testing

/// The LAPACKE wrappers against their definitions and closed forms.
@Suite struct LinearAlgebraTests {
    /// A reproducible matrix without structure.
    private func matrix(_ rows: Int, _ columns: Int, seed: UInt64 = 1) -> Matrix {
        Matrix(rows: rows, columns: columns, elements: noise(rows * columns, seed: seed).map(Double.init))
    }

    private func distance(_ a: Matrix, _ b: Matrix) -> Double {
        guard a.rows == b.rows, a.columns == b.columns else { return .infinity }
        return zip(a.elements, b.elements).reduce(0) { max($0, abs($1.0 - $1.1)) }
    }

    private func diagonal(_ values: [Double]) -> Matrix {
        var matrix = Matrix(rows: values.count, columns: values.count)
        for (i, value) in values.enumerated() { matrix[i, i] = value }
        return matrix
    }

    // MARK: - Singular values

    @Test(arguments: [(5, 3), (3, 5), (4, 4), (1, 6), (6, 1), (51, 400)])
    func `the singular factors are orthonormal and multiply to the matrix`(rows: Int, columns: Int) throws {
        let a = matrix(rows, columns)
        let svd = try SingularValueDecomposition(a)
        let (u, v) = (svd.left, svd.rightTransposed)
        #expect(distance(u * diagonal(svd.values) * v, a) < 1e-13)
        #expect(distance(u.transposed * u, .identity(min(rows, columns))) < 1e-13)
        #expect(distance(v * v.transposed, .identity(min(rows, columns))) < 1e-13)
        #expect(svd.values == svd.values.sorted(by: >) && svd.values.allSatisfy { $0 >= 0 })
    }

    @Test func `singular values of known matrices`() throws {
        let values = try SingularValueDecomposition(diagonal([-2, 3])).values
        #expect(values.count == 2 && abs(values[0] - 3) < 1e-14 && abs(values[1] - 2) < 1e-14)
        let flat = try SingularValueDecomposition(Matrix(rows: 2, columns: 2, elements: [1, 1, 1, 1])).values
        #expect(abs(flat[0] - 2) < 1e-14 && abs(flat[1]) < 1e-14)
    }

    @Test func `a matrix of rank 2 has two singular values above zero, and factors that are orthonormal all the same`()
        throws
    {
        let a = matrix(6, 2) * matrix(2, 5, seed: 2)
        let svd = try SingularValueDecomposition(a)
        #expect(svd.values[1] > 1e-3 && svd.values[2] < 1e-14)
        #expect(distance(svd.left.transposed * svd.left, .identity(5)) < 1e-13)
        #expect(distance(svd.left * diagonal(svd.values) * svd.rightTransposed, a) < 1e-13)
    }

    // MARK: - Least squares

    @Test func `the residual of least squares is orthogonal to every column`() throws {
        let (a, b) = (matrix(9, 4), matrix(9, 2, seed: 3))
        let fit = try LeastSquares(a, b)
        var residual = a * fit.solution
        for i in residual.elements.indices { residual.elements[i] -= b.elements[i] }
        #expect(fit.rank == 4)
        #expect(distance(a.transposed * residual, Matrix(rows: 4, columns: 2)) < 1e-13)
        #expect(residual.elements.contains { abs($0) > 0.01 })
    }

    @Test func `a consistent system is solved`() throws {
        let (a, x) = (matrix(7, 3), matrix(3, 2, seed: 4))
        #expect(distance(try LeastSquares(a, a * x).solution, x) < 1e-13)
    }

    @Test func `of many solutions the smallest is taken`() throws {
        let ones = Matrix(rows: 2, columns: 2, elements: [1, 1, 1, 1])
        let fit = try LeastSquares(ones, Matrix(rows: 2, columns: 1, elements: [2, 2]))
        #expect(fit.rank == 1)
        #expect(distance(fit.solution, Matrix(rows: 2, columns: 1, elements: [1, 1])) < 1e-14)
        let wide = try LeastSquares(
            Matrix(rows: 1, columns: 2, elements: [3, 4]), Matrix(rows: 1, columns: 1, elements: [25]))
        #expect(distance(wide.solution, Matrix(rows: 2, columns: 1, elements: [3, 4])) < 1e-13)
    }

    @Test(arguments: [0.01, 1, 100])
    func `a ridge satisfies its normal equations`(ridge: Double) throws {
        let (a, b) = (matrix(6, 3), matrix(6, 1, seed: 5))
        let x = try LeastSquares(a, b, ridge: ridge).solution
        var left = a.transposed * (a * x)
        for i in left.elements.indices { left.elements[i] += ridge * x.elements[i] }
        #expect(distance(left, a.transposed * b) < 1e-13 * (1 + ridge))
    }

    // MARK: - Bad input

    @Test(arguments: [Double.nan, .infinity, -.infinity])
    func `what is not finite is refused`(value: Double) throws {
        let bad = Matrix(rows: 2, columns: 2, elements: [1, 0, 0, value])
        let good = Matrix.identity(2)
        #expect(throws: LinearAlgebraError.self) { try SingularValueDecomposition(bad) }
        #expect(throws: LinearAlgebraError.self) { try LeastSquares(bad, good) }
        #expect(throws: LinearAlgebraError.self) { try LeastSquares(good, bad) }
    }

    @Test func `matrices without rows or columns are decomposed, too`() throws {
        #expect(try SingularValueDecomposition(Matrix(rows: 0, columns: 3)).values.isEmpty)
        let free = try LeastSquares(Matrix(rows: 0, columns: 2), Matrix(rows: 0, columns: 1))
        #expect(free.solution == Matrix(rows: 2, columns: 1))
    }
}
