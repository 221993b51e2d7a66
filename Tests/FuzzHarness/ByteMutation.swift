import TestSupport

/// Damage that knows nothing of the format: bits, bytes, stretches, and words that mean something to the reader.
public struct ByteMutation {
    /// Texts that are put in now and then.
    let words: [[UInt8]]

    /// Damage with the given words beside plain bytes.
    public init(words: [String] = []) {
        self.words = words.map { Array($0.utf8) }
    }

    /// Numbers at which readers trip, of one, two, four and eight bytes.
    private static let numbers: [[UInt8]] = [
        [0], [1], [0x7F], [0x80], [0xFF], [0x7F, 0xFF], [0xFF, 0xFF], [0x7F, 0xFF, 0xFF, 0xFF],
        [0xFF, 0xFF, 0xFF, 0xFF],
        [0, 0, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 0],
        [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
        [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], [0, 0xE1, 0xF5, 0x05, 0, 0, 0, 0],
    ]

    /// Changes one to four places.
    public func mutated(_ bytes: [UInt8], using generator: inout SplitMix64) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &generator) { change(&bytes, using: &generator) }
        return bytes
    }

    /// Changes one place.
    public func change(_ bytes: inout [UInt8], using generator: inout SplitMix64) {
        guard !bytes.isEmpty else {
            bytes = words.randomElement(using: &generator) ?? [.random(in: 0...255, using: &generator)]
            return
        }
        let place = Int.random(in: bytes.indices, using: &generator)
        let longest = Bool.random(using: &generator) ? 8 : bytes.count
        let end = min(bytes.count, place + Int.random(in: 1...longest, using: &generator))
        switch Int.random(in: 0..<10, using: &generator) {
        case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: bytes[place] = .random(in: 0...255, using: &generator)
        case 2: bytes.insert(.random(in: 0...255, using: &generator), at: place)
        case 3: bytes.removeSubrange(place..<end)
        case 4: bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &generator))
        case 5:
            let stretch = bytes[place..<end]
            bytes.removeSubrange(place..<end)
            bytes.insert(contentsOf: stretch, at: Int.random(in: 0...bytes.count, using: &generator))
        case 6: bytes.removeSubrange(place...)
        case 7: overwrite(&bytes, at: place, with: Self.numbers.randomElement(using: &generator) ?? [])
        default:
            let word = words.randomElement(using: &generator) ?? Self.numbers.randomElement(using: &generator) ?? []
            if Bool.random(using: &generator) {
                bytes.insert(contentsOf: word, at: place)
            } else {
                overwrite(&bytes, at: place, with: word)
            }
        }
    }

    private func overwrite(_ bytes: inout [UInt8], at place: Int, with word: [UInt8]) {
        bytes.replaceSubrange(place..<min(bytes.count, place + word.count), with: word)
    }
}
