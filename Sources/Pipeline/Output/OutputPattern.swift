/// A file name with the placeholders `{class}`, `{prompt}`, `{seed}`, `{index}` and `{frame}`. `{{` and `}}` stand for braces, so that
/// any name can be written.
///
/// `{class}` and `{prompt}` both stand for the condition's name in files: ``ClassNames/slug(of:)``.
public struct OutputPattern: Equatable, Sendable {
    /// The pattern as it was given.
    public let text: String
    /// The directory of all paths, with the slash after it; empty for the working directory.
    public let folder: String
    private let parts: [Part]

    private enum Part: Equatable {
        case literal(String)
        case placeholder(Placeholder)
    }

    private enum Placeholder: String {
        case `class`
        case prompt
        case seed
        case index
        case frame
    }

    /// Whether each frame of a clip gets a name of its own.
    public var hasFrame: Bool { parts.contains(.placeholder(.frame)) }

    /// Parses a pattern.
    ///
    /// - Throws: ``PipelineError/usage(_:)`` when it has an unknown placeholder or does not name a file.
    public init(_ text: String) throws(PipelineError) {
        self.text = text
        guard !text.isEmpty, text.utf8.last != UInt8(ascii: "/") else {
            throw .usage("--output '\(text)': does not name a file; give a path such as '{class}-{seed}.png'")
        }
        var parts: [Part] = []
        var literal = ""
        // By scalars: a combining mark after a brace or a slash would make another character of it.
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            guard scalar == "{" || scalar == "}", rest.first != scalar else {
                literal.unicodeScalars.append(scalar)
                if scalar == "{" || scalar == "}" { rest.removeFirst() }
                continue
            }
            guard scalar == "{" else {
                literal += "}"
                continue
            }
            guard let close = rest.firstIndex(of: "}") else {
                throw .usage("--output '\(text)': a '{' is not closed; write '{{' for a brace in a name")
            }
            let name = String(rest[..<close])
            guard let placeholder = Placeholder(rawValue: name) else {
                throw .usage(
                    "--output '\(text)': unknown placeholder {\(name)}; there are {class}, {prompt}, {seed}, {index} and {frame}; "
                        + "write '{{' for a brace in a name")
            }
            parts += [.literal(literal), .placeholder(placeholder)]
            literal = ""
            rest = rest[rest.index(after: close)...]
        }
        parts.append(.literal(literal))
        self.parts = parts
        guard case .literal(let fixed) = parts[0], let slash = fixed.utf8.lastIndex(of: UInt8(ascii: "/")) else {
            folder = ""
            return
        }
        folder = String(decoding: fixed.utf8[...slash], as: UTF8.self)
    }

    /// The path of image `index`, or of a frame of the clip; the index is padded to six digits and the frame to four, so
    /// that names sort.
    public func path(for item: SampleItem, index: Int, frame: Int = 0, classNames: ClassNames) -> String {
        func padded(_ number: Int, to count: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, count - digits.count)) + digits
        }
        return parts.map { part in
            switch part {
            case .literal(let text): return text
            case .placeholder(.class), .placeholder(.prompt): return classNames.slug(of: item.condition)
            case .placeholder(.seed): return String(item.seed)
            case .placeholder(.index): return padded(index, to: 6)
            case .placeholder(.frame): return padded(frame, to: 4)
            }
        }.joined()
    }

    /// A path of this pattern, relative to its ``folder``.
    public func nameInFolder(_ path: String) -> String {
        String(decoding: path.utf8.dropFirst(folder.utf8.count), as: UTF8.self)
    }
}
