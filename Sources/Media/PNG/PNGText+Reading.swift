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
            guard rest.first == 0 else { throw Self.malformed(chunk, "an unknown compression method") }
            self.init(keyword: keyword, latin1: try Self.inflate(rest.dropFirst(), of: chunk, budget: &budget)[...])
        case .internationalText:
            let (keyword, rest) = try Self.splitKeyword(chunk)
            let fields = rest.dropFirst(2).split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
            guard rest.count >= 2, fields.count == 3 else { throw Self.malformed(chunk, "a field is missing") }
            let bytes: ArraySlice<UInt8>
            switch (rest[rest.startIndex], rest[rest.startIndex + 1]) {
            case (0, _): bytes = fields[2]
            case (1, 0): bytes = try Self.inflate(fields[2], of: chunk, budget: &budget)[...]
            default: throw Self.malformed(chunk, "an unknown compression method")
            }
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw Self.malformed(chunk, "the text is not UTF-8")
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
        guard let end = chunk.data.firstIndex(of: 0) else { throw malformed(chunk, "the keyword does not end") }
        let keyword = String(latin1: chunk.data[..<end])
        if let fault = fault(ofKeyword: keyword) { throw malformed(chunk, fault) }
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
            throw malformed(chunk, "the compressed text is damaged")
        }
    }

    private static func malformed(_ chunk: PNGChunk, _ reason: String) -> ImageError {
        .malformed(.png, offset: chunk.data.startIndex, reason: "\(chunk.kind.name): \(reason)")
    }
}
