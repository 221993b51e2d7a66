/// A text that has an id of its own wherever it stands in a prompt, such as </s>.
struct AddedToken: Sendable {
    let bytes: [UInt8]
    let id: Int32
    /// Whether it takes the white space before it, or after it.
    var stripsBefore = false
    var stripsAfter = false
    /// Whether it counts only where no letter, digit or underscore touches it.
    var isWholeWord = false
}

/// Finds added tokens in prompts, as the tokenizers library does: the leftmost, of those the longest.
///
/// Source: added_vocabulary.rs of https://github.com/huggingface/tokenizers.
struct AddedTokens: Sendable {
    /// A part of a prompt: a token, or text in between.
    enum Part: Equatable {
        case token(Int32, Range<Int>)
        case text(Range<Int>)
    }

    private let tokens: [AddedToken]
    private let trie: ByteTrie

    init(_ tokens: [AddedToken]) {
        self.tokens = tokens
        trie = ByteTrie(tokens.enumerated().lazy.map { ($0.element.bytes[...], Int32($0.offset)) })
    }

    /// The parts of the prompt, in order; together they are all of it but for the white space that tokens take.
    func parts(of prompt: [UInt8]) -> [Part] {
        guard !trie.isEmpty else { return [.text(0..<prompt.count)] }
        var parts: [Part] = []
        var (place, textStart) = (0, 0)
        while place < prompt.count {
            guard let found = trie.longestPrefix(of: prompt[place...]) else {
                place += 1
                continue
            }
            let token = tokens[Int(found.number)]
            var range = place..<place + found.length
            guard !token.isWholeWord || isFree(range, in: prompt) else {
                place = range.upperBound
                continue
            }
            if token.stripsBefore {
                range = spaceStart(range.lowerBound, from: textStart, in: prompt)..<range.upperBound
            }
            if token.stripsAfter { range = range.lowerBound..<spaceEnd(range.upperBound, in: prompt) }
            if textStart < range.lowerBound { parts.append(.text(textStart..<range.lowerBound)) }
            parts.append(.token(token.id, range))
            (place, textStart) = (range.upperBound, range.upperBound)
        }
        if textStart < prompt.count { parts.append(.text(textStart..<prompt.count)) }
        return parts
    }

    /// Where the white space that ends at `end` begins.
    private func spaceStart(_ end: Int, from start: Int, in prompt: [UInt8]) -> Int {
        UTF8Text.words(Array(prompt[start..<end])).last.map { start + $0.upperBound } ?? start
    }

    /// Where the white space that begins at `start` ends.
    private func spaceEnd(_ start: Int, in prompt: [UInt8]) -> Int {
        var place = start
        while place < prompt.count {
            let length = UTF8Text.length(prompt, at: place)
            guard UTF8Text.isWhitespace(prompt, at: place, length: length) else { break }
            place += length
        }
        return place
    }

    /// Whether no word touches the range.
    private func isFree(_ range: Range<Int>, in prompt: [UInt8]) -> Bool {
        func isWordly(_ scalar: Unicode.Scalar?) -> Bool {
            scalar.map { $0 == "_" || $0.properties.isAlphabetic || $0.properties.numericType != nil } ?? false
        }
        // The nearest four bytes hold the character that touches, whatever comes out of those that are cut.
        let before = String(decoding: prompt[max(0, range.lowerBound - 4)..<range.lowerBound], as: UTF8.self)
        let after = String(decoding: prompt[range.upperBound...].prefix(4), as: UTF8.self)
        return !isWordly(before.unicodeScalars.last) && !isWordly(after.unicodeScalars.first)
    }
}
