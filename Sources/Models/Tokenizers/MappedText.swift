/// A text in the form in which pieces are looked up, in UTF-8, with the place in the prompt from which each byte comes.
struct MappedText: Equatable, Sendable {
    private(set) var bytes: [UInt8] = []
    /// For each byte, where the character that it stands for begins in the prompt.
    private(set) var origins: [Int] = []

    /// An empty text.
    init() {}

    /// The part `range` of the prompt as it is.
    init(_ prompt: [UInt8], _ range: Range<Int>) {
        bytes = Array(prompt[range])
        origins.reserveCapacity(range.count)
        var first = range.lowerBound
        for index in range {
            if UTF8Text.isStart(prompt[index]) { first = index }
            origins.append(first)
        }
    }

    /// Appends bytes that stand for the character at `origin`.
    mutating func append(_ added: some Sequence<UInt8>, origin: Int) {
        for byte in added {
            bytes.append(byte)
            origins.append(origin)
        }
    }

    /// The part `range`.
    subscript(range: Range<Int>) -> MappedText {
        var part = MappedText()
        part.bytes = Array(bytes[range])
        part.origins = Array(origins[range])
        return part
    }

    /// Removes the last `count` bytes.
    mutating func removeLast(_ count: Int) {
        bytes.removeLast(count)
        origins.removeLast(count)
    }

    /// Whether it ends with `suffix`.
    func ends(with suffix: [UInt8]) -> Bool { bytes.suffix(suffix.count).elementsEqual(suffix) }

    /// The text with what `body` appends for each of its parts: it is given a place, and says how many bytes it has taken.
    func rewritten(_ body: (_ place: Int, _ result: inout MappedText) -> Int) -> MappedText {
        var result = MappedText()
        var place = 0
        while place < bytes.count { place += body(place, &result) }
        return result
    }
}

/// Bytes that are mostly UTF-8: a prompt's always are, but what a damaged table puts in may not be.
enum UTF8Text {
    /// U+2581, which stands for a space in pieces.
    static let space: [UInt8] = [0xE2, 0x96, 0x81]

    /// Whether a character begins with this byte.
    @inline(__always)
    static func isStart(_ byte: UInt8) -> Bool { byte & 0xC0 != 0x80 }

    /// The length of the character that begins at `place`, by its first byte, within the text.
    @inline(__always)
    static func length(_ text: [UInt8], at place: Int) -> Int {
        let length =
            switch text[place] >> 4 {
            case 0xC, 0xD: 2
            case 0xE: 3
            case 0xF: 4
            default: 1
            }
        return min(length, text.count - place)
    }

    /// Whether the character of `length` bytes at `place` is white space, by Unicode's property.
    static func isWhitespace(_ text: [UInt8], at place: Int, length: Int) -> Bool {
        if length == 1 { return text[place] == 0x20 || (0x09...0x0D).contains(text[place]) }
        return String(decoding: text[place..<place + length], as: UTF8.self).unicodeScalars
            .allSatisfy(\.properties.isWhitespace)
    }

    /// The stretches of the text that hold no white space.
    static func words(_ text: [UInt8]) -> [Range<Int>] {
        var words: [Range<Int>] = []
        var (place, start): (Int, Int?) = (0, nil)
        while place < text.count {
            let length = length(text, at: place)
            if isWhitespace(text, at: place, length: length) {
                if let first = start { words.append(first..<place) }
                start = nil
            } else {
                start = start ?? place
            }
            place += length
        }
        if let start { words.append(start..<text.count) }
        return words
    }
}
