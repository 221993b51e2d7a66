import Compute
import Media
import Models
import TestSupport
import Testing

@testable import FuzzHarness

@Suite struct MutationTests {
    private func subject(_ mutate: @escaping Subject.Mutation) -> Subject {
        Subject(seeds: [Array("sound".utf8), [1, 2, 3]], at: "file", mutate: mutate) {}
    }

    @Test func `an input is a function of reader, seed and number, and begins with the sound files`() {
        let subject = subject(ByteMutation().mutated)
        #expect(subject.input(0, reader: "a", seed: 1) == Array("sound".utf8))
        #expect(subject.input(1, reader: "a", seed: 9) == [1, 2, 3])
        for number in 2..<50 {
            #expect(subject.input(number, reader: "a", seed: 1) == subject.input(number, reader: "a", seed: 1))
        }
        func inputs(_ reader: String, _ seed: UInt64) -> [[UInt8]] {
            (2..<50).map { subject.input($0, reader: reader, seed: seed) }
        }
        #expect(inputs("a", 1) != inputs("b", 1) && inputs("a", 1) != inputs("a", 2))
        #expect(Set(inputs("a", 1)).count > 40)
    }

    @Test func `values, keys and members of a JSON text are found`() {
        let text = Array(#"{"a": [1, -2.5e3], "b\"": {"c": null}, "d": "x"}"#.utf8)
        let spans = JSONSpans(text)
        func texts(_ ranges: [Range<Int>]) -> [String] { ranges.map { String(decoding: text[$0], as: UTF8.self) } }
        #expect(texts(spans.keys) == [#""a""#, #""b\"""#, #""c""#, #""d""#])
        #expect(
            texts(spans.values) == [
                "1", "-2.5e3", "[1, -2.5e3]", "null", #"{"c": null}"#, #""x""#, String(decoding: text, as: UTF8.self),
            ])
        #expect(
            texts(spans.members) == [#""a": [1, -2.5e3]"#, #""c": null"#, #""b\"": {"c": null}"#, #""d": "x""#])
        for end in text.indices { _ = JSONSpans(Array(text[..<end])) }
    }

    @Test func `damage to a PNG gets past its checksums`() throws {
        let image = Image(width: 5, height: 4, channels: 3, pixels: Array(0..<60))
        let sound = try PNGWriter.encode(image, text: [PNGText(keyword: "k", text: "t", international: true)])
        var generator = SplitMix64(seed: 5)
        var (decoded, changed) = (0, 0)
        for _ in 0..<1000 {
            guard let found = try? PNGReader.decode(PNGMutation().mutated(sound, using: &generator)) else { continue }
            decoded += 1
            changed += found == image ? 0 : 1
        }
        #expect(decoded > 100 && changed >= 5, "\(decoded) decoded, \(changed) of them changed")
        let texts = (0..<100).compactMap { _ in
            try? PNGReader.text(in: PNGMutation().mutatedText(sound, keyword: "k", using: &generator)).first?.text
        }
        #expect(texts.count > 20 && texts.contains { $0 != "t" })
    }

    @Test func `damage to a safetensors header is reached by its reader`() throws {
        let sound = SafetensorsWriter.bytes([("a", Tensor([1, 2], shape: [2])), ("b", Tensor([3], shape: [1]))])
        var generator = SplitMix64(seed: 6)
        var reasons: Set<String> = []
        for _ in 0..<1000 {
            let file = SafetensorsMutation().mutated(sound, using: &generator)
            guard file.count >= 8 else { continue }
            let length = (0..<8).reduce(0) { $0 | Int(truncatingIfNeeded: UInt64(file[$1]) << UInt64(8 * $1)) }
            guard length > 0, length <= file.count - 8 else { continue }
            reasons.insert(String(decoding: file[8..<8 + length], as: UTF8.self))
        }
        #expect(reasons.count > 500)
    }

    @Test func `a minimised input shows the fault and nothing of it can be left out`() throws {
        let input = [UInt8]((0..<200).map { UInt8($0) })
        func shows(_ bytes: [UInt8]) -> Bool { bytes.contains(17) && bytes.contains(180) }
        #expect(try Minimiser { shows($0) }.minimised(input) == [17, 180])
        var tries = 0
        let early = try Minimiser {
            tries += 1
            return tries > 3 ? nil : shows($0)
        }.minimised(input)
        #expect(shows(early))
    }
}
