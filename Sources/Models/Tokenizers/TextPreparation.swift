/// How a tokenizer brings a text into the form of its pieces.
protocol TextPreparation: Sendable {
    /// The stretches of the part `range` of a prompt that are cut into pieces, each by itself.
    func stretches(of prompt: [UInt8], _ range: Range<Int>) -> [MappedText]
}

/// SentencePiece's own normaliser, as a `spiece.model` sets it.
///
/// Source: src/normalizer.cc of https://github.com/google/sentencepiece.
struct SentencePieceNormalizer: TextPreparation {
    /// What replaces sequences of characters; nil where none are replaced.
    var map: CharacterMap?
    /// The pieces that the maker of the model has set, which are left as they are.
    var protected = ByteTrie([])
    /// Whether a space is put before the text, or after it.
    var addsSpace = true
    var addsSpaceAtEnd = false
    /// Whether spaces at the ends are dropped, and of several in a row all but one.
    var collapsesSpaces = true
    /// Whether spaces become U+2581.
    var escapesSpaces = true

    func stretches(of prompt: [UInt8], _ range: Range<Int>) -> [MappedText] {
        let text = normalized(prompt, range)
        return text.bytes.isEmpty ? [] : [text]
    }

    private func normalized(_ prompt: [UInt8], _ range: Range<Int>) -> MappedText {
        var place = range.lowerBound
        var result = MappedText()
        if collapsesSpaces {
            while place < range.upperBound {
                let (length, bytes) = next(prompt, place)
                guard bytes.elementsEqual([0x20]) else { break }
                place += length
            }
        }
        guard place < range.upperBound else { return result }
        let space: [UInt8] = escapesSpaces ? UTF8Text.space : [0x20]
        if addsSpace, !addsSpaceAtEnd { result.append(space, origin: place) }
        var followsSpace = collapsesSpaces
        while place < range.upperBound {
            let (length, bytes) = next(prompt, place)
            let added = followsSpace ? bytes.drop { $0 == 0x20 } : bytes
            for byte in added { result.append(byte == 0x20 ? space : [byte], origin: place) }
            if let last = added.last { followsSpace = collapsesSpaces && last == 0x20 }
            place += length
        }
        if collapsesSpaces { while result.ends(with: space) { result.removeLast(space.count) } }
        if addsSpace, addsSpaceAtEnd { result.append(space, origin: range.upperBound) }
        return result
    }

    /// How many bytes are normalised at a place, and what becomes of them.
    private func next(_ prompt: [UInt8], _ place: Int) -> (length: Int, bytes: ArraySlice<UInt8>) {
        if !protected.isEmpty, let found = protected.longestPrefix(of: prompt[place...]) {
            return (found.length, prompt[place..<place + found.length])
        }
        if let found = map?.replacement(in: prompt, from: place) { return found }
        let length = UTF8Text.length(prompt, at: place)
        return (length, prompt[place..<place + length])
    }
}

/// The normalizers and pre-tokenizers of a `tokenizer.json`, as the tokenizers library applies them.
///
/// The character map is applied as SentencePiece does, to the longest sequence that it replaces: the library looks at whole
/// graphemes first, and at the shortest sequence, which differs where marks are combined.
///
/// Source: https://github.com/huggingface/tokenizers, normalizers and pre_tokenizers.
struct TokenizerSteps: TextPreparation {
    /// A change of the text before it is split.
    enum Normalizer {
        case map(CharacterMap)
        /// Drops white space at the start, at the end, or both.
        case strip(start: Bool, end: Bool)
        /// Puts `with` in the place of each occurrence.
        case replace([UInt8], with: [UInt8])
        /// Puts `with` in the place of each run of two spaces or more.
        case replaceRuns(with: [UInt8])
    }

    /// Before which stretches a space is put.
    enum Prefix: String {
        case always, first, never
    }

    /// A way to split the text.
    enum Splitter {
        /// At white space, which is dropped.
        case whitespace
        /// Spaces become `mark`, one is put before the text as `prefix` says, and each begins a stretch if `splits`.
        case mark([UInt8], prefix: Prefix, splits: Bool)
    }

    var normalizers: [Normalizer] = []
    var splitters: [Splitter] = []

    func stretches(of prompt: [UInt8], _ range: Range<Int>) -> [MappedText] {
        let text = normalizers.reduce(MappedText(prompt, range)) { $1.apply(to: $0) }
        let stretches = splitters.reduce([text]) { stretches, splitter in stretches.flatMap(splitter.split) }
        return stretches.filter { !$0.bytes.isEmpty }
    }
}

extension TokenizerSteps.Normalizer {
    fileprivate func apply(to text: MappedText) -> MappedText {
        let bytes = text.bytes
        switch self {
        case .map(let map):
            return text.rewritten { place, result in
                if let (length, bytes) = map.replacement(in: bytes, from: place) {
                    result.append(bytes, origin: text.origins[place])
                    return length
                }
                result.append(bytes[place..<place + 1], origin: text.origins[place])
                // The rest of a character is no beginning of another.
                let length = UTF8Text.length(bytes, at: place)
                for rest in place + 1..<place + length {
                    result.append(bytes[rest...rest], origin: text.origins[rest])
                }
                return length
            }
        case .strip(let start, let end):
            let words = UTF8Text.words(bytes)
            guard let first = words.first, let last = words.last else { return start || end ? MappedText() : text }
            return text[(start ? first.lowerBound : 0)..<(end ? last.upperBound : bytes.count)]
        case .replace(let pattern, let replacement):
            return text.rewritten { place, result in
                let isThere = bytes[place...].starts(with: pattern)
                result.append(isThere ? replacement[...] : bytes[place...place], origin: text.origins[place])
                return isThere ? pattern.count : 1
            }
        case .replaceRuns(let replacement):
            return text.rewritten { place, result in
                let run = bytes[place...].prefix { $0 == 0x20 }.count
                result.append(run > 1 ? replacement[...] : bytes[place...place], origin: text.origins[place])
                return max(1, run)
            }
        }
    }
}

extension TokenizerSteps.Splitter {
    fileprivate func split(_ text: MappedText) -> [MappedText] {
        switch self {
        case .whitespace:
            return UTF8Text.words(text.bytes).map { text[$0] }
        case .mark(let mark, let prefix, let splits):
            // Nothing is put before nothing.
            guard let origin = text.origins.first else { return [] }
            var marked = MappedText()
            let body = TokenizerSteps.Normalizer.replace([0x20], with: mark).apply(to: text)
            let isWanted = prefix == .always || prefix == .first && origin == 0
            if isWanted, !body.bytes.starts(with: mark) { marked.append(mark, origin: origin) }
            marked.append(body)
            return splits ? marked.split(before: mark) : [marked]
        }
    }
}

extension MappedText {
    fileprivate mutating func append(_ other: MappedText) {
        for (byte, origin) in zip(other.bytes, other.origins) { append(CollectionOfOne(byte), origin: origin) }
    }

    /// The stretches that begin where `mark` does.
    fileprivate func split(before mark: [UInt8]) -> [MappedText] {
        var (starts, place) = ([0], 1)
        while place < bytes.count {
            if bytes[place] == mark[0], bytes[place...].starts(with: mark) { starts.append(place) }
            place += 1
        }
        return zip(starts, starts.dropFirst() + [bytes.count]).map { self[$0..<$1] }
    }
}
