/// What a failure of this room means for a caller, who maps it to an exit code.
public enum FailureKind: Sendable, Equatable {
    /// A file or directory that was asked for is not there.
    case missingInput
    /// A file is there, but what it holds cannot be used.
    case badData
    /// The system refused to read a file that is there.
    case inputOutput
}
