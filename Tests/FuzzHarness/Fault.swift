/// What was found: an input that a reader does not take as it should.
public struct Fault: Sendable {
    /// What kinds of fault there are; a smaller input counts as the same fault if it is of the same kind.
    public enum Kind: String, Codable, Sendable {
        case crash
        case hang
        case memory
        case outcome
        case command
    }

    /// The reader.
    public let reader: String
    /// The input's number, from which and from the seed it can be made again.
    public let number: Int
    /// What kind of fault it is.
    public let kind: Kind
    /// What happened, on one line.
    public let detail: String

    /// The text, with what would break a line or steer a terminal escaped.
    static func oneLine(_ text: String) -> String {
        var line = ""
        for scalar in text.unicodeScalars {
            line += isPlain(scalar) ? String(scalar) : scalar.escaped(asASCII: true)
        }
        return line
    }

    /// Whether a character neither breaks a line nor steers a terminal.
    static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .format: false
        default: true
        }
    }
}
