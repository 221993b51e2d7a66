import Foundation
import TestSupport
import Testing

@testable import Models

@Suite struct UnigramTokenizerTests {
    @Test(arguments: GoldenTokenizer.all)
    func `tokens are those of SentencePiece, and of the tokenizers library where it agrees`(
        golden: GoldenTokenizer
    ) throws {
        let tokenizer = try golden.load()
        let expected = try golden.expected()
        #expect(expected.lines.count > 100)
        for (line, ids) in zip(expected.lines, expected.ids) {
            let found = tokenizer.tokens(of: line, limit: .max)
            #expect(found.ids == ids, "\(line.debugDescription)")
            #expect(found.cutOff == nil)
        }
    }

    /// `make verify` makes models and ten thousand random lines, and names their folder.
    @Test(.enabled(if: verified != nil))
    func `tokens of random lines are those of SentencePiece, too`() throws {
        let root = try #require(Self.verified)
        let folders = try FileManager.default.contentsOfDirectory(atPath: root).sorted()
        for golden in folders.map({ GoldenTokenizer(path: "\(root)/\($0)") }) {
            let tokenizer = try golden.load()
            let expected = try golden.expected()
            var wrong: [String] = []
            for (line, ids) in zip(expected.lines, expected.ids) {
                if tokenizer.tokens(of: line, limit: .max).ids != ids { wrong.append(line) }
            }
            print("\(golden.testDescription): \(wrong.count) of \(expected.lines.count) lines differ")
            #expect(wrong.isEmpty, "\(golden.testDescription): \(wrong.prefix(3).map(\.debugDescription))")
        }
    }

    private static let verified = ProcessInfo.processInfo.environment["OMNICACHE_TOKENIZERS"]

    // MARK: - Room

    @Test(arguments: GoldenTokenizer.all)
    func `a prompt that is too long keeps its end token, and what is cut off is told as it was written`(
        golden: GoldenTokenizer
    ) throws {
        let tokenizer = try golden.load()
        let text = "A photograph of an ａｓｔｒｏｎａｕｔ riding a horse, 4k"
        let whole = tokenizer.tokens(of: text, limit: 300)
        #expect(whole.cutOff == nil)
        #expect(tokenizer.tokens(of: text, limit: whole.ids.count) == whole)
        for limit in 1..<whole.ids.count {
            let part = tokenizer.tokens(of: text, limit: limit)
            #expect(part.ids == whole.ids.prefix(limit - 1) + [whole.ids.last ?? -1])
            let rest = try #require(part.cutOff)
            #expect(text.hasSuffix(rest))
        }
        #expect(tokenizer.tokens(of: text, limit: 0).ids == whole.ids.suffix(1))
        #expect(tokenizer.tokens(of: text, limit: 1).cutOff == text)
    }

    @Test func `nothing is only an end token`() throws {
        for golden in GoldenTokenizer.all where golden.testDescription != "symbols" {
            let tokenizer = try golden.load()
            #expect(tokenizer.tokens(of: "", limit: 300) == TokenizedPrompt(ids: [1], unknown: [], cutOff: nil))
        }
    }

    @Test(arguments: GoldenTokenizer.all)
    func `a hundred thousand characters take no longer than they need`(golden: GoldenTokenizer) throws {
        let tokenizer = try golden.load()
        let expected = try golden.expected()
        let lines = [
            String(repeating: "a", count: 100_000), String(repeating: "▁", count: 100_000),
            String(repeating: "☃ ", count: 50_000), String(repeating: " ", count: 100_000),
            String(repeating: "<extra_id_0> ", count: 8_000),
            String(repeating: expected.lines.joined(separator: " "), count: 20),
        ]
        for line in lines {
            let clock = ContinuousClock()
            let start = clock.now
            let found = tokenizer.tokens(of: line, limit: 300)
            let seconds = (clock.now - start) / .seconds(1)
            #expect(found.ids.count <= 300)
            let name = "\(line.count) characters \(line.prefix(3)), seconds"
            #expect(figure(name, seconds, below: isOptimised ? 0.5 : 30))
        }
    }

    // MARK: - Unknown words

    @Test func `words with unknown characters are told once each, in order, without punctuation`() throws {
        let tokenizer = try GoldenTokenizer(name: "nfkc").load()
        let found = tokenizer.tokens(of: "a ☃, (sn☃w) and a ☃! 🄰", limit: 300)
        #expect(found.unknown == ["☃", "sn☃w"])
        #expect(tokenizer.tokens(of: "a red apple", limit: 300).unknown == [])
        #expect(tokenizer.tokens(of: "a red apple ☃", limit: 3).unknown == [])
    }

    @Test func `characters that are spelt in bytes are unknown, too`() throws {
        let tokenizer = try GoldenTokenizer(name: "bytes").load()
        #expect(tokenizer.tokens(of: "a ☃", limit: 300).unknown == ["☃"])
    }

    @Test(arguments: ["", "/tokenizer"])
    func `words that are not in the model's list are unknown`(folder: String) throws {
        let directory = try TemporaryDirectory()
        let (name, bytes) = try GoldenTokenizer(name: "rules").file()
        if !folder.isEmpty {
            try FileManager.default.createDirectory(
                atPath: directory.path + folder, withIntermediateDirectories: false)
            try directory.write(text: "{}", to: "model_index.json")
        }
        try directory.write(bytes, to: "\(folder)/\(name)")
        try directory.write(text: "a\nred\napple\non\n", to: "vocabulary.txt")
        let tokenizer = try UnigramTokenizer(directory: directory.path + folder)
        let text = "A red, apple, on a , Zebra. zebra cat"
        let found = tokenizer.tokens(of: text, limit: 300)
        #expect(found.unknown == ["Zebra", "zebra", "cat"])
        #expect(found.ids == (try GoldenTokenizer(name: "rules").load().tokens(of: text, limit: 300).ids))
    }

    @Test func `a list of words beside a folder that is no part of a pipeline is not the tokenizer's`() throws {
        let directory = try TemporaryDirectory()
        try FileManager.default.createDirectory(
            atPath: "\(directory.path)/t", withIntermediateDirectories: false)
        try directory.write(try GoldenTokenizer(name: "rules").file().bytes, to: "t/spiece.model")
        try directory.write(text: "a\n", to: "vocabulary.txt")
        #expect(try UnigramTokenizer(directory: "\(directory.path)/t").tokens(of: "a cat", limit: 300).unknown == [])
    }
}

/// Whether the compiler has optimised: without, all takes a hundred times as long.
private let isOptimised: Bool = {
    var isDebug = false
    assert(
        {
            isDebug = true
            return true
        }())
    return !isDebug
}()
