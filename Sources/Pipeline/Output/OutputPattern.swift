/// A file name with the placeholders `{class}`, `{seed}` and `{index}`.
public struct OutputPattern: Equatable, Sendable {
    /// The pattern as it was given.
    public let text: String

    /// Parses a pattern.
    ///
    /// - Throws: ``PipelineError/usage(_:)`` when it has an unknown placeholder or names no file.
    public init(_ text: String) throws(PipelineError) {
        self.text = text
        guard !text.isEmpty, !text.hasSuffix("/") else {
            throw .usage("--output '\(text)': names no file; give a path such as '{class}-{seed}.png'")
        }
        var rest = text[...]
        while let open = rest.firstIndex(of: "{") {
            guard let close = rest[open...].firstIndex(of: "}") else {
                throw .usage("--output '\(text)': a '{' is not closed")
            }
            let name = rest[rest.index(after: open)..<close]
            guard Placeholder(rawValue: String(name)) != nil else {
                throw .usage("--output '\(text)': unknown placeholder {\(name)}; there are {class}, {seed} and {index}")
            }
            rest = rest[rest.index(after: close)...]
        }
    }

    private enum Placeholder: String, CaseIterable {
        case `class`
        case seed
        case index
    }

    /// The directory that all paths are in, with the slash after it; empty for the present one.
    public var folder: String {
        let fixed = text.prefix { $0 != "{" }
        return fixed.lastIndex(of: "/").map { String(fixed[...$0]) } ?? ""
    }

    /// The path of image `index`; the index is padded to six digits, so that names sort.
    public func path(for item: SampleItem, index: Int, classNames: ClassNames) -> String {
        let digits = String(index)
        let values: [Placeholder: String] = [
            .class: classNames.slug(of: item.condition),
            .seed: String(item.seed),
            .index: String(repeating: "0", count: max(0, 6 - digits.count)) + digits,
        ]
        return Placeholder.allCases.reduce(text) { path, placeholder in
            path.split(separator: "{\(placeholder.rawValue)}", omittingEmptySubsequences: false)
                .joined(separator: values[placeholder] ?? "")
        }
    }
}
