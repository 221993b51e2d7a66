import Compute
import Testing

@Suite struct BLASTests {
    @Test func `outer products are added to the upper triangle`() {
        // Rows of two numbers, three apart.
        let rows: [Double] = [1, 2, 99, 3, 4, 99, 5, 6, 99]
        var sums: [Double] = [100, 0, 0, 7, 100, 0, 7, 7, 100]
        BLAS.addOuterProduct(n: 3, k: 2, rows, lda: 3, into: &sums, ldc: 3)
        #expect(sums == [105, 11, 17, 7, 125, 39, 7, 7, 161])
    }
}
