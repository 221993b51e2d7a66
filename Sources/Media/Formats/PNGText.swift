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

    /// Whether every character is allowed in a `tEXt` chunk: printable Latin-1 and the line feed (PNG, 11.3.3.2).
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

extension PNGText {
    /// Reads a `tEXt`, `zTXt` or `iTXt` chunk; nil for any other.
    ///
    /// `budget` is how many bytes compressed texts may still grow to; it is lowered by what this one takes.
    init?(_ chunk: PNGChunk, budget: inout Int) throws(ImageError) {
        switch chunk.kind {
        case .text:
            let (keyword, rest) = try Self.splitKeyword(chunk)
            self.init(keyword: keyword, latin1: rest)
        case .compressedText:
            let (keyword, rest) = try Self.splitKeyword(chunk)
            guard rest.first == 0 else { throw chunk.malformed("an unknown compression method") }
            self.init(keyword: keyword, latin1: try Self.inflate(rest.dropFirst(), of: chunk, budget: &budget)[...])
        case .internationalText:
            let (keyword, rest) = try Self.splitKeyword(chunk)
            let fields = rest.dropFirst(2).split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
            guard rest.count >= 2, fields.count == 3 else { throw chunk.malformed("a field is missing") }
            let bytes: ArraySlice<UInt8>
            switch (rest[rest.startIndex], rest[rest.startIndex + 1]) {
            case (0, _): bytes = fields[2]
            case (1, 0): bytes = try Self.inflate(fields[2], of: chunk, budget: &budget)[...]
            default: throw chunk.malformed("an unknown compression method")
            }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw chunk.malformed("the text is not UTF-8")
            }
            self.init(keyword: keyword, text: text, international: true)
        default:
            return nil
        }
    }

    private init(keyword: String, latin1 bytes: ArraySlice<UInt8>) {
        self.init(keyword: keyword, text: String(latin1: bytes))
    }

    private static func splitKeyword(
        _ chunk: PNGChunk
    ) throws(ImageError) -> (keyword: String, rest: ArraySlice<UInt8>) {
        guard let end = chunk.data.firstIndex(of: 0) else { throw chunk.malformed("the keyword does not end") }
        let keyword = String(latin1: chunk.data[..<end])
        if let fault = fault(ofKeyword: keyword) { throw chunk.malformed(fault) }
        return (keyword, chunk.data[(end + 1)...])
    }

    private static func inflate(
        _ bytes: ArraySlice<UInt8>, of chunk: PNGChunk, budget: inout Int
    ) throws(ImageError) -> [UInt8] {
        do {
            let text = try Zlib.inflate(bytes, limit: budget)
            budget -= text.count
            return text
        } catch .tooLong {
            throw .tooLarge(what: "the compressed text of a PNG", limit: "\(ImageLimits.inflatedText) bytes")
        } catch {
            throw chunk.malformed("the compressed text is damaged")
        }
    }
}
