/// The table by which SentencePiece normalises: what stands in the place of some sequences of characters, such as NFKC.
///
/// A file holds the length of a trie as a `UInt32`, the trie, and the replacements as texts that end with a zero. The trie
/// is a double array as Darts-clone makes it: a node is a unit of 32 bits, and its child along a byte is found where the
/// exclusive or of the node's place, its offset and the byte points to, if the unit there bears that byte as its label.
///
/// Sources: src/normalizer.cc of https://github.com/google/sentencepiece, and https://github.com/s-yata/darts-clone.
struct CharacterMap: Sendable {
    private let units: [UInt32]
    private let replacements: [UInt8]

    /// Reads the bytes of a `precompiled_charsmap`.
    ///
    /// - Returns: nil when they are damaged.
    init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count > 4 else { return nil }
        let start = bytes.startIndex
        func unit(_ index: Int) -> UInt32 {
            bytes[start + 4 * index..<start + 4 * index + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
        let size = Int(unit(0))
        guard size > 0, size.isMultiple(of: 4), size < bytes.count - 4 else { return nil }
        units = (1...size / 4).map(unit)
        replacements = Array(bytes[(start + 4 + size)...])
        // Past the last zero, a replacement would have no end.
        guard replacements.last == 0 else { return nil }
    }

    /// The longest beginning of `text` from `start` on that the table replaces.
    ///
    /// - Returns: how many bytes of the text it takes, and what stands in their place; nil when it is none.
    func replacement(in text: [UInt8], from start: Int) -> (length: Int, bytes: ArraySlice<UInt8>)? {
        var longest: (length: Int, value: Int)?
        var node = Self.offset(units[0])
        for index in start..<text.count {
            node ^= Int(text[index])
            guard node < units.count, Self.label(units[node]) == UInt32(text[index]) else { break }
            let unit = units[node]
            node ^= Self.offset(unit)
            guard node < units.count else { break }
            if unit & 0x100 != 0 { longest = (index + 1 - start, Int(units[node] & 0x7FFF_FFFF)) }
        }
        guard let (length, value) = longest, value < replacements.count else { return nil }
        let end = replacements[value...].firstIndex(of: 0) ?? replacements.count
        return (length, replacements[value..<end])
    }

    /// The byte by which a node is reached; the highest bit marks a value, which is reached by none.
    private static func label(_ unit: UInt32) -> UInt32 { unit & 0x8000_00FF }

    private static func offset(_ unit: UInt32) -> Int { Int((unit >> 10) << ((unit & 0x200) >> 6)) }
}
