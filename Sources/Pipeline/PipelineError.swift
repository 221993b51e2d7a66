import Models

/// Why a request could not be carried out, in one line that says what to do about it.
public enum PipelineError: Error, Equatable, Sendable {
    /// The request contradicts itself or asks for what does not exist.
    case usage(String)
    /// A file holds something other than it should.
    case badData(String)
    /// A file or directory does not exist.
    case missingInput(String)
    /// An output file exists already or cannot be made.
    case cannotCreate(String)
    /// The system failed to read or write.
    case inputOutput(String)
}

extension PipelineError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .usage(let text), .badData(let text), .missingInput(let text), .cannotCreate(let text),
            .inputOutput(let text):
            // Names in it come from files and from the command line.
            text.onOneLine
        }
    }
}
