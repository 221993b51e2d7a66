import Compute

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
