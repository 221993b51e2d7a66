/// A keyword and its text, as a PNG carries them beside the pixels.
public struct PNGText: Equatable, Sendable {
    /// 1 to 79 printable Latin-1 characters, without leading, trailing or doubled spaces.
    public let keyword: String

    /// Any text without the character NUL.
    public let text: String

    /// Whether the text is stored as UTF-8 (`iTXt`) rather than as Latin-1 (`tEXt`).
    public let isInternational: Bool

    /// Pairs a keyword with its text.
    ///
    /// The text is stored as Latin-1 where it can be, since every reader knows that chunk; `international` asks for
    /// UTF-8 all the same.
    public init(keyword: String, text: String, international: Bool = false) {
        self.keyword = keyword
        self.text = text
        self.isInternational = international || !Self.isLatin1(text)
    }

    /// Whether every character may stand in a `tEXt` chunk: printable Latin-1 and the line feed (PNG, 11.3.3.2).
    private static func isLatin1(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { $0 == "\n" || (32...126).contains($0.value) || (160...255).contains($0.value) }
    }

    /// The keyword's bytes, where it obeys the rules (PNG, 11.3.3.1).
    func keywordBytes() throws(ImageError) -> [UInt8] {
        guard let reason = Self.fault(ofKeyword: keyword) else { return keyword.latin1Bytes }
        throw .unstorableText(keyword: keyword, reason: reason)
    }

    /// What is wrong with a keyword, if anything is.
    static func fault(ofKeyword keyword: String) -> String? {
        let scalars = keyword.unicodeScalars
        guard (1...79).contains(scalars.count) else { return "a keyword has 1 to 79 characters, not \(scalars.count)" }
        guard scalars.allSatisfy({ (32...126).contains($0.value) || (161...255).contains($0.value) }) else {
            return "a keyword consists of printable Latin-1 characters"
        }
        guard scalars.first != " ", scalars.last != " ",
            !zip(scalars, scalars.dropFirst()).contains(where: { $0 == " " && $1 == " " })
        else { return "a keyword has no leading, trailing or doubled spaces" }
        return nil
    }
}

extension String {
    /// One byte per character, for a string known to be Latin-1.
    var latin1Bytes: [UInt8] { unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) } }

    /// Reads one character from each byte.
    init(latin1 bytes: some Collection<UInt8>) {
        self.init(decoding: bytes.lazy.map { UInt16($0) }, as: UTF16.self)
    }
}
