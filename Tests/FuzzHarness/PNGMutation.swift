import CZlib
import TestSupport

/// Damage to a PNG: to its chunks, their order and their contents, with lengths and checksums made right again in most
/// inputs, so that the damage gets past them.
public struct PNGMutation {
    /// A chunk as it lies in the file, without length and checksum.
    private struct Chunk {
        var kind: [UInt8]
        var data: [UInt8]
    }

    private static let signature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    private static let names = [
        "IHDR", "IDAT", "IEND", "PLTE", "tRNS", "tEXt", "zTXt", "iTXt", "gAMA", "XXXX", "x\u{1}YZ", "acTL", "fcTL",
        "fdAT",
    ]
    /// No text in the seeds is longer.
    private static let largestInflated = 1 << 20

    private let bytes = ByteMutation(words: ["omnicache\0", "parameters\0", "\0\0\0\0", "\u{1b}[31m", "\u{FF}"])
    private let text: Subject.Mutation

    /// Damage to chunks, and by `text` to what follows the keyword in those of texts.
    public init(text: Subject.Mutation? = nil) {
        let bytes = bytes
        self.text = text ?? { bytes.mutated($0, using: &$1) }
    }

    /// Changes a file.
    public func mutated(_ file: [UInt8], using generator: inout SplitMix64) -> [UInt8] {
        if Int.random(in: 0..<8, using: &generator) == 0 { return bytes.mutated(file, using: &generator) }
        var chunks = Self.chunks(of: file)
        for _ in 0..<Int.random(in: 1...2, using: &generator) where !chunks.isEmpty {
            change(&chunks, using: &generator)
        }
        return Self.signature + chunks.flatMap(Self.encoded)
    }

    /// Changes the text of one chunk and nothing else.
    public func mutatedText(_ file: [UInt8], keyword: String, using generator: inout SplitMix64) -> [UInt8] {
        var chunks = Self.chunks(of: file)
        let start = Array(keyword.utf8) + [0]
        for index in chunks.indices where chunks[index].data.starts(with: start) && chunks[index].kind[0] == 0x69 {
            // In an iTXt, two flags and two empty texts, each ended by a zero, stand between keyword and text.
            let head = start.count + 4
            chunks[index].data =
                Array(chunks[index].data.prefix(head)) + text(Array(chunks[index].data.dropFirst(head)), &generator)
        }
        return Self.signature + chunks.flatMap(Self.encoded)
    }

    private func change(_ chunks: inout [Chunk], using generator: inout SplitMix64) {
        let place = Int.random(in: chunks.indices, using: &generator)
        switch Int.random(in: 0..<10, using: &generator) {
        case 0: chunks.remove(at: place)
        case 1: chunks.insert(chunks[place], at: Int.random(in: chunks.indices, using: &generator))
        case 2: chunks.swapAt(place, Int.random(in: chunks.indices, using: &generator))
        case 3: chunks[place].kind = Array((Self.names.randomElement(using: &generator) ?? "").utf8)
        case 4: chunks.insert(added(using: &generator), at: place)
        case 5: recompress(&chunks, using: &generator)
        case 6: split(&chunks, at: place, using: &generator)
        case 7:
            // The header: extents, bits, colour type and methods.
            guard chunks[0].data.count == 13 else { return }
            let values: [UInt8] = [0, 1, 2, 3, 4, 6, 7, 8, 16, 0x7F, 0x80, 0xFF]
            let byte = Int.random(in: 0..<13, using: &generator)
            chunks[0].data[byte] = values.randomElement(using: &generator) ?? 0
        default: chunks[place].data = bytes.mutated(chunks[place].data, using: &generator)
        }
    }

    /// A chunk that was not there: a hostile text, or one that grows a thousandfold.
    private func added(using generator: inout SplitMix64) -> Chunk {
        let keywords = ["omnicache", "parameters", "", " a ", "a\u{1b}"]
        let keyword = Array((keywords.randomElement(using: &generator) ?? "").utf8)
        func chunk(_ kind: String, _ data: [UInt8]) -> Chunk { Chunk(kind: Array(kind.utf8), data: data) }
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: return chunk("tEXt", keyword + [0, 0x1B, 0x5B, 0x32, 0x4A, 0x0A, 0x00, 0xFF])
        case 1: return chunk("zTXt", keyword + [0, 0] + Self.deflated([UInt8](repeating: 65, count: 1 << 16)))
        case 2: return chunk("iTXt", keyword + [0, 1, 0, 0, 0] + Self.deflated(Array("{}".utf8)))
        default: return chunk("IDAT", [])
        }
    }

    /// Changes the filtered rows behind the compression, or their number.
    private func recompress(_ chunks: inout [Chunk], using generator: inout SplitMix64) {
        guard let first = chunks.firstIndex(where: { $0.kind == Array("IDAT".utf8) }),
            let rows = Self.inflated(chunks.filter { $0.kind == Array("IDAT".utf8) }.flatMap(\.data))
        else { return }
        chunks.removeAll { $0.kind == Array("IDAT".utf8) }
        let changed =
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: rows + [UInt8](repeating: 0, count: Int.random(in: 1...100_000, using: &generator))
            case 1: [UInt8](rows.dropLast())
            default: bytes.mutated(rows, using: &generator)
            }
        chunks.insert(Chunk(kind: Array("IDAT".utf8), data: Self.deflated(changed)), at: min(first, chunks.count))
    }

    private func split(_ chunks: inout [Chunk], at place: Int, using generator: inout SplitMix64) {
        let cut = Int.random(in: 0...chunks[place].data.count, using: &generator)
        let rest = Chunk(kind: chunks[place].kind, data: Array(chunks[place].data[cut...]))
        chunks[place].data.removeSubrange(cut...)
        chunks.insert(rest, at: place + 1)
    }

    // MARK: - The format

    private static func chunks(of file: [UInt8]) -> [Chunk] {
        var chunks: [Chunk] = []
        var position = signature.count
        while position + 12 <= file.count {
            let length = file[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
            guard length <= file.count - position - 12 else { break }
            chunks.append(
                Chunk(
                    kind: Array(file[position + 4..<position + 8]),
                    data: Array(file[position + 8..<position + 8 + length])))
            position += length + 12
        }
        return chunks
    }

    private static func encoded(_ chunk: Chunk) -> [UInt8] {
        let body = chunk.kind + chunk.data
        return bigEndian(chunk.data.count) + body + bigEndian(Int(crc32_z(0, body, body.count)))
    }

    private static func bigEndian(_ number: Int) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
    }

    private static func deflated(_ bytes: [UInt8]) -> [UInt8] {
        var count = compressBound(UInt(bytes.count))
        var output = [UInt8](repeating: 0, count: Int(count))
        guard compress(&output, &count, bytes, UInt(bytes.count)) == Z_OK else { return [] }
        return Array(output.prefix(Int(count)))
    }

    private static func inflated(_ bytes: [UInt8]) -> [UInt8]? {
        var count = UInt(largestInflated)
        var output = [UInt8](repeating: 0, count: largestInflated)
        guard uncompress(&output, &count, bytes, UInt(bytes.count)) == Z_OK else { return nil }
        return Array(output.prefix(Int(count)))
    }
}
