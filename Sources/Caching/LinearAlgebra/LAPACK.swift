import CLAPACKELoader
import Compute

/// The one door to LAPACKE, which is opened when it is first needed.
enum LAPACK {
    /// Debian's library, and OpenBLAS, which others build with LAPACKE inside.
    private static let names = ["liblapacke.so.3", "libopenblas.so.0"]
    /// What the libraries of LAPACK and their scratch memory take of the address space.
    private static let bytes = 32 << 20

    private static let library: Result<lapacke_functions, MachineError> = {
        // LAPACKE computes with the OpenBLAS that `BLAS` sets to one thread, whichever of the two is used first.
        do throws(MachineError) {
            _ = try BLAS.reserve(threads: 1, leaving: bytes, for: "a fit by LAPACK")
        } catch {
            return .failure(error)
        }
        var functions = lapacke_functions()
        var problem: String?
        for name in names {
            guard let text = lapacke_open(name, &functions).map({ String(cString: $0) }) else {
                return .success(functions)
            }
            problem = problem ?? text
        }
        return .failure(.unusableLibrary(name: "LAPACKE", package: "liblapacke", reason: problem ?? ""))
    }()

    /// Checks the input and calls a routine.
    ///
    /// - Parameters:
    ///   - operation: What is done, for errors.
    ///   - inputs: Every matrix that goes in.
    ///   - routine: Given the library's functions, returns LAPACK's `info`.
    /// - Throws: ``LinearAlgebraError`` for input that is not finite, for a positive `info`, and where there is no LAPACKE.
    static func call(
        _ operation: String, on inputs: [Matrix], _ routine: (lapacke_functions) -> Int32
    ) throws(LinearAlgebraError) {
        guard inputs.allSatisfy(\.isFinite) else { throw .notFinite(operation: operation) }
        let functions: lapacke_functions
        switch library {
        case .success(let found): functions = found
        case .failure(let error): throw .unavailable(error)
        }
        let info = routine(functions)
        precondition(info >= 0, "\(operation): argument \(-info) of the routine is wrong")
        guard info == 0 else { throw .noConvergence(operation: operation) }
    }
}

/// Why a decomposition has no result.
public enum LinearAlgebraError: Error, Equatable, Sendable {
    /// The input of `operation` holds an infinity or something that is not a number.
    case notFinite(operation: String)
    /// The iteration of `operation` did not converge.
    case noConvergence(operation: String)
    /// There is no LAPACKE, or no room for it.
    case unavailable(MachineError)
}

extension LinearAlgebraError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notFinite(let operation):
            "\(operation): the numbers are not all finite; the run that they come from has diverged"
        case .noConvergence(let operation):
            "\(operation) did not converge; check the run that the numbers come from"
        case .unavailable(let error):
            error.description
        }
    }
}
