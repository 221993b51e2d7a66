extension String {
    /// The text with line breaks and other control characters escaped, so that a name from a file can neither break an
    /// error's line nor steer a terminal.
    package var onOneLine: String {
        var line = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator, .format:
                line.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
            default:
                line.append(scalar)
            }
        }
        return String(line)
    }
}
