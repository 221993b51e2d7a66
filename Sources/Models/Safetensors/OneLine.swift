extension String {
    /// The text with line breaks and other control characters escaped, so that a name from a file can neither break a
    /// line nor steer a terminal.
    package var onOneLine: String {
        guard unicodeScalars.contains(where: \.isEscaped) else { return self }
        var line = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            if scalar.isEscaped {
                line.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
            } else {
                line.append(scalar)
            }
        }
        return String(line)
    }

    /// Every line by itself as ``onOneLine``, with the line breaks in between.
    package var onItsLines: String {
        split(separator: "\n", omittingEmptySubsequences: false).map { String($0).onOneLine }.joined(separator: "\n")
    }

    /// The text, which is JSON, with the control characters escaped that a JSON encoder does not escape.
    package var jsonForTerminals: String {
        guard unicodeScalars.contains(where: { $0.isControl && $0.value > 0x1F }) else { return self }
        var escaped = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            // Above the ASCII codes all of them have four hexadecimal digits at most, and occur within strings.
            if scalar.isControl, scalar.value > 0x1F {
                let digits = String(scalar.value, radix: 16)
                let zeros = String(repeating: "0", count: 4 - digits.count)
                escaped.append(contentsOf: "\\u\(zeros)\(digits)".unicodeScalars)
            } else {
                escaped.append(scalar)
            }
        }
        return String(escaped)
    }

    /// The text without the white space around it.
    package var trimmed: String {
        String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
    }

    /// The first character that is not allowed in a name: a control character, a line separator, or one that changes the
    /// direction of what follows it.
    package var unprintable: Unicode.Scalar? { unicodeScalars.first(where: \.isControl) }
}

extension Unicode.Scalar {
    /// How the character is written where it cannot be shown, such as U+0007.
    package var codePoint: String {
        let digits = String(value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: Swift.max(0, 4 - digits.count)) + digits
    }

    /// Whether the character controls instead of showing something.
    fileprivate var isControl: Bool {
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        // Embeddings, overrides and isolates of the bidirectional algorithm (UAX #9).
        default: (0x202A...0x202E).contains(value) || (0x2066...0x2069).contains(value)
        }
    }

    /// Whether the character is escaped in what a person reads: all that is invisible but the joiners, which belong to
    /// the spelling of some languages and to emoji.
    fileprivate var isEscaped: Bool {
        isControl || (properties.generalCategory == .format && value != 0x200C && value != 0x200D)
    }
}
