import Foundation
import TestSupport
import Testing

@testable import Models

@Suite struct BadTokenizerTests {
    /// The error's text for a file, without the path before it.
    private func problem(_ bytes: some Sequence<UInt8>, name: String) throws -> String {
        let directory = try TemporaryDirectory()
        let path = try directory.write(bytes, to: name)
        let error = try #require(throws: ModelError.self) { try UnigramTokenizer(directory: directory.path) }
        #expect(!error.description.contains("\n"))
        #expect(error.kind == .badData)
        return error.description.replacing("\(path): ", with: "")
    }

    @Test func `a folder without a tokenizer says where one comes from`() throws {
        let directory = try TemporaryDirectory()
        let error = try #require(throws: ModelError.self) { try UnigramTokenizer(directory: directory.path) }
        #expect(error == .missingTokenizer(directory: directory.path))
        #expect(error.kind == .missingInput)
        #expect(error.description.contains("tokenizer.json"))
        #expect(error.description.contains("beside text_encoder"))
    }

    @Test(arguments: ["BPE", "WordPiece", "WordLevel"])
    func `a tokenizer.json of another kind is named`(kind: String) throws {
        let text = #"{"model": {"type": "\#(kind)", "vocab": {"a": 0}, "merges": []}}"#
        #expect(
            try problem(text.utf8, name: "tokenizer.json")
                == "it is a \(kind) model; only Unigram models, such as T5's, are supported")
    }

    @Test(arguments: [(2, "BPE"), (3, "word"), (4, "character")])
    func `a spiece.model of another kind is named`(kind: UInt8, name: String) throws {
        // Field 2, a message of two bytes: its field 3 is the kind.
        let bytes = [0x12, 0x02, 0x18, kind]
        #expect(
            try problem(bytes, name: "spiece.model")
                == "it is a \(name) model; only unigram models, such as T5's, are supported")
    }

    @Test func `parts of a tokenizer.json that are not supported are named`() throws {
        let model = #""model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0], ["</s>", 0]]}"#
        let parts = [
            (#""normalizer": {"type": "BertNormalizer"}"#, "its normalizer BertNormalizer is not supported"),
            (#""normalizer": {"type": "Replace", "pattern": {"Regex": "x+"}}"#, "Replace of that pattern"),
            (#""pre_tokenizer": {"type": "ByteLevel"}"#, "its pre_tokenizer ByteLevel is not supported"),
            (#""post_processor": {"type": "BertProcessing"}"#, "its post_processor BertProcessing is not supported"),
            (#""pre_tokenizer": {"type": "Metaspace", "prepend_scheme": "second"}"#, "prepend_scheme second"),
        ]
        for (part, expected) in parts {
            let text = "{\(part), \(model)}"
            #expect(try problem(text.utf8, name: "tokenizer.json").contains(expected))
        }
        let directory = try TemporaryDirectory()
        try directory.write(text: "{\(model)}", to: "tokenizer.json")
        #expect(try UnigramTokenizer(directory: directory.path).tokens(of: "x", limit: 9).ids == [0, 1])
    }

    @Test func `a pointer in the place of a file is named`() throws {
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
        #expect(try problem(pointer.utf8, name: "spiece.model").contains("a Git LFS pointer"))
    }

    @Test func `a cut file is refused, or gives the tokens of the pieces that are left`() throws {
        let (name, bytes) = try GoldenTokenizer(name: "rules").file()
        let directory = try TemporaryDirectory()
        for end in stride(from: 0, to: bytes.count, by: 101) {
            try directory.write(bytes.prefix(end), to: name)
            do throws(ModelError) {
                _ = try UnigramTokenizer(directory: directory.path).tokens(of: "a red apple", limit: 300)
            } catch {
                #expect(error.kind == .badData, "\(error)")
            }
        }
    }

    @Test(arguments: ["rules", "nfkc", "symbols", "json-2021"])
    func `no damage and no text crashes a tokenizer`(name: String) throws {
        let golden = GoldenTokenizer(name: name)
        let (file, bytes) = try golden.file()
        let lines = try golden.expected().lines
        let directory = try TemporaryDirectory()
        var generator = SplitMix64(seed: 3)
        var accepted = 0
        for _ in 0..<(bytes.count > 100_000 ? 60 : 400) {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...20, using: &generator) {
                damaged[Int.random(in: bytes.indices, using: &generator)] = .random(in: 0...255, using: &generator)
            }
            try directory.write(damaged, to: file)
            guard let tokenizer = try? UnigramTokenizer(directory: directory.path) else { continue }
            accepted += 1
            for _ in 0..<20 {
                let length = Int.random(in: 0...60, using: &generator)
                let noise = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
                _ = tokenizer.tokens(of: String(decoding: noise, as: UTF8.self), limit: 50)
                _ = tokenizer.tokens(of: lines.randomElement(using: &generator) ?? "", limit: 50)
            }
        }
        #expect(accepted > 0)
    }
}
