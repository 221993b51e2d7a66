import CLAPACKE
import Testing

/// The system library that the trajectory analyser will use compiles, links and computes.
@Suite struct LAPACKETests {
    @Test func `LAPACKE solves a small linear system`() {
        var matrix = [2.0, 1, 1, 3]
        var solution = [3.0, 5]
        var pivots: [Int32] = [0, 0]
        #expect(LAPACKE_dgesv(LAPACK_ROW_MAJOR, 2, 1, &matrix, 2, &pivots, &solution, 1) == 0)
        #expect(abs(solution[0] - 0.8) < 1e-15 && abs(solution[1] - 1.4) < 1e-15)
    }
}
