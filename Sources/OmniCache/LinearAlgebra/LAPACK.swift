import CLAPACKE
import Tensor

/// The one door to LAPACKE.
enum LAPACK {
    /// LAPACKE computes with the OpenBLAS that ``BLAS`` sets to one thread, whichever of the two is used first.
    private static let configured = !BLAS.coreName.isEmpty

    /// Checks the input and calls a routine.
    ///
    /// - Parameters:
    ///   - operation: What is done, for errors.
    ///   - inputs: Every matrix that goes in.
    ///   - routine: Returns LAPACK's `info`.
    /// - Throws: ``LinearAlgebraError`` for input that is not finite, and for a positive `info`.
    static func call(
        _ operation: String, on inputs: [Matrix], _ routine: () -> Int32
    ) throws(LinearAlgebraError) {
        guard inputs.allSatisfy(\.isFinite) else { throw .notFinite(operation: operation) }
        _ = configured
        let info = routine()
        precondition(info >= 0, "\(operation): argument \(-info) of the routine is wrong")
        guard info == 0 else { throw .noConvergence(operation: operation) }
    }
}
