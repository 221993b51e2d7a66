/// A prompt as the tokens that a text encoder reads, and what of it the model cannot follow.
public struct TokenizedPrompt: Equatable, Sendable {
    /// The tokens' ids, the end token last.
    public let ids: [Int32]
    /// The words that the model does not know, each once, in order: those with characters that no piece stands for, and,
    /// where a model says which words it has learned, all others. Punctuation around them is left out.
    public let unknown: [String]
    /// The end of the prompt that there was no room for, as it was written; nil where there is none.
    public let cutOff: String?
}

/// The words of a prompt, and which of them a model does not know.
struct PromptWords {
    private let prompt: [UInt8]

    init(_ prompt: [UInt8]) {
        self.prompt = prompt
    }

    /// The words that hold one of `places`, or are none of `learned`, each once.
    ///
    /// - Parameters:
    ///   - places: where unknown characters begin in the prompt, in rising order.
    ///   - learned: the words that the model has learned, in lower case; nil where it does not say.
    ///   - end: where the part of the prompt ends that is looked at.
    /// - Returns: the words as they were written, without punctuation at their ends.
    func unknown(holding places: [Int], learned: Set<String>?, before end: Int) -> [String] {
        var unknown: [String] = []
        var seen: Set<String> = []
        var next = places.makeIterator()
        var place = next.next()
        for range in UTF8Text.words(prompt) where range.lowerBound < end {
            var holdsUnknown = false
            while let at = place, at < range.upperBound {
                holdsUnknown = holdsUnknown || at >= range.lowerBound
                place = next.next()
            }
            let word = String(decoding: prompt[range], as: UTF8.self)
            let bare = word.withoutPunctuation
            let isNew = learned.map { !bare.isEmpty && $0.isDisjoint(with: [word.lowercased(), bare.lowercased()]) }
            guard holdsUnknown || isNew == true else { continue }
            let shown = bare.isEmpty ? word : bare
            if seen.insert(shown).inserted { unknown.append(shown) }
        }
        return unknown
    }
}

extension String {
    /// The text without punctuation at its ends.
    fileprivate var withoutPunctuation: String {
        func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
            switch scalar.properties.generalCategory {
            case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
                .finalPunctuation, .otherPunctuation:
                true
            default: false
            }
        }
        let start = unicodeScalars.drop(while: isPunctuation)
        var end = start.endIndex
        while end > start.startIndex, isPunctuation(start[start.index(before: end)]) { end = start.index(before: end) }
        return String(Substring(start[..<end]))
    }
}
