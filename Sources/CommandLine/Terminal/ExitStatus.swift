import Caching
import Compute
import Evaluation
import Media
import Models
import Pipeline
import Sampling

/// The exit codes, as in the BSD convention of `sysexits.h`.
enum ExitStatus: Int32 {
    case usage = 64
    case badData = 65
    case missingInput = 66
    case `internal` = 70
    case machine = 71
    case cannotCreate = 73
    case inputOutput = 74
    case interrupted = 75

    /// The status of one of our errors; nil for any other error.
    init?(_ error: any Error) {
        switch error {
        case let error as PipelineError: self.init(error)
        case let error as ModelError: self.init(error.kind)
        case let error as SafetensorsError: self.init(error.kind)
        case let error as FileError: self.init(error)
        case is SamplingError, is PlanError, is MissingCalibration: self = .usage
        case ImageError.tooLarge: self = .usage
        case is ImageError, is ComparisonError, is WrongResult: self = .internal
        case LinearAlgebraError.unavailable(let error): self.init(error)
        case is LinearAlgebraError: self = .badData
        case let error as MachineError: self.init(error)
        case is Terminal.StreamFailure: self = .inputOutput
        case is FailedRequests: self = .badData
        case is Interrupted: self = .interrupted
        default: return nil
        }
    }

    private init(_ error: PipelineError) {
        switch error {
        case .usage: self = .usage
        case .badData: self = .badData
        case .missingInput: self = .missingInput
        case .cannotCreate: self = .cannotCreate
        case .inputOutput: self = .inputOutput
        }
    }

    private init(_ error: MachineError) {
        switch error {
        case .unusableKernels, .unusablePrecision: self = .usage
        case .unusableLibrary, .wrongKernels, .tooLittleMemory: self = .machine
        }
    }

    private init(_ kind: FailureKind) {
        switch kind {
        case .badData: self = .badData
        case .missingInput: self = .missingInput
        case .inputOutput: self = .inputOutput
        }
    }

    private init(_ error: FileError) {
        switch error {
        case .exists, .cannotCreate: self = .cannotCreate
        case .failed: self = .inputOutput
        }
    }
}
