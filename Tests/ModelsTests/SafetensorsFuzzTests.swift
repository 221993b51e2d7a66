import Compute
import TestSupport
import Testing

@testable import Models

@Suite struct SafetensorsFuzzTests {
    private static let sound = SafetensorsWriter.bytes(
        [
            ("blocks.0.weight", Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])), ("é", Tensor([7], shape: [])),
            ("empty", Tensor([0, 4])), ("last", Tensor([8, 9], shape: [2, 1])),
        ], metadata: ["format": "pt", "steps": "50"])

    /// Bytes that mean something in a header, so that mutations get past the first check.
    private static let alphabet = Array(#"0123456789-+.eE[]{}:,"\u "#.utf8) + [0x00, 0x7F, 0x80, 0xC3, 0xFF]

    private static func mutate(_ bytes: [UInt8], times: ClosedRange<Int> = 1...4, _ generator: inout SplitMix64)
        -> [UInt8]
    {
        var bytes = bytes
        for _ in 0..<Int.random(in: times, using: &generator) where !bytes.isEmpty {
            let position = Int.random(in: 0..<bytes.count, using: &generator)
            let byte = alphabet.randomElement(using: &generator) ?? 0
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: bytes[position] = byte
            case 1: bytes.insert(byte, at: position)
            case 2: bytes.remove(at: position)
            case 3: bytes.removeSubrange(position...)
            default: bytes.append(contentsOf: bytes[position...].prefix(16))
            }
        }
        return bytes
    }

    @Test func `no mutation of a file crashes the reader or lets a tensor reach outside the file`() throws {
        var generator = SplitMix64(seed: 2)
        var accepted = 0
        var unsound: [[UInt8]] = []
        for round in 0..<5_000 {
            var bytes = Self.mutate(Self.sound, &generator)
            if round.isMultiple(of: 2), bytes.count > 8 {
                // Half of the rounds repair the header length, so that the damage lies in the header's text.
                let size = Self.sound.count - 9 * MemoryLayout<Float>.size - 8
                let repaired = max(0, min(size + bytes.count - Self.sound.count, bytes.count - 8))
                bytes.replaceSubrange(0..<8, with: littleEndian([UInt64(repaired)]))
            }
            guard let header = try? header(of: bytes) else { continue }
            accepted += 1
            let dataSize = bytes.count - header.dataStart
            let isSound =
                header.entries.reduce(0) { $0 + $1.range.count } == dataSize
                && header.entries.allSatisfy { entry in
                    entry.range.upperBound <= dataSize
                        && entry.elementType.map { entry.range.count * 8 == entry.count * $0.bits } ?? true
                }
            if !isSound { unsound.append(bytes) }
        }
        #expect(unsound.isEmpty)
        // Both outcomes must occur often, or the mutations test nothing.
        #expect((100..<4_000).contains(accepted), "\(accepted) accepted")
    }

    @Test func `every file that the header check accepts can be loaded or is refused by name`() throws {
        let directory = try TemporaryDirectory()
        var generator = SplitMix64(seed: 3)
        var loaded = 0
        for _ in 0..<500 {
            let path = try directory.write(Self.mutate(Self.sound, times: 1...1, &generator), to: "model.safetensors")
            guard let file = try? SafetensorsFile(path: path) else { continue }
            for entry in file.entries {
                do {
                    #expect(try file.tensor(entry.name).count == entry.count)
                    loaded += 1
                } catch {
                    #expect(error.description.contains(entry.name))
                }
            }
        }
        #expect(loaded > 50)
    }

    @Test func `no mutation of a JSON text crashes the parser`() {
        let texts = [
            #"{"weight_map": {"a": "\u00e9\ud83d\ude00\n", "b": [1, -2.5e3, true, false, null, {}]}}"#,
            #"[[[[0.5]]], "\\\"\/", {"k": {"k": {"k": []}}}]"#,
        ]
        var generator = SplitMix64(seed: 4)
        var accepted = 0
        for round in 0..<5_000 {
            let bytes = Self.mutate(Array(texts[round % texts.count].utf8), &generator)
            if (try? StrictJSON.parse(bytes)) != nil { accepted += 1 }
        }
        #expect((100..<4_000).contains(accepted), "\(accepted) accepted")
    }
}
