import Compute
import Synchronization
import TestSupport
import Testing

@testable import Models

@Suite struct T5PromptEncoderTests {
    /// A cache that counts.
    private final class Counting: EmbeddingCache {
        let asked = Mutex(0)
        let kept = Mutex<[[Int32]]>([])

        func states(of ids: [Int32], by encoder: T5Encoder) -> Tensor? {
            asked.withLock { $0 += 1 }
            return nil
        }

        func keep(_ states: Tensor, of ids: [Int32], by encoder: T5Encoder) {
            kept.withLock { $0.append(ids) }
        }
    }

    private func encoder(_ cache: (any EmbeddingCache)? = nil) throws -> T5PromptEncoder {
        let directory = try TemporaryDirectory()
        try TinyTextEncoder.write(to: directory.path)
        return try T5PromptEncoder(
            tokenizer: "\(directory.path)/tokenizer", encoder: "\(directory.path)/text_encoder", cache: cache)
    }

    @Test func `a prompt's states are those of its tokens`() throws {
        let encoder = try encoder()
        let states = try encoder.states(of: "a  red\tfox", limit: 20, workers: Workers(count: 1))
        // ▁a ▁red ▁fox </s>
        let whole = try encoder.encoder.encode(ids: [4, 7, 6, 1], workers: Workers(count: 1))
        #expect(states.elements == whole.elements)
        #expect(encoder.width == TinyTextEncoder.width)
        let longer = try encoder.states(of: "a  red\tfox", limit: 20, length: 9, workers: Workers(count: 1))
        #expect(longer.shape == [9, encoder.width])
        #expect(
            largestRelativeDifference(
                Array(longer.elements.prefix(states.count)), against: states.elements) < 1e-6)
        let shorter = try encoder.states(of: "a  red\tfox", limit: 20, length: 2, workers: Workers(count: 1))
        #expect(shorter.elements == Array(states.elements.prefix(2 * encoder.width)))
        let cut = try encoder.states(of: "a red fox", limit: 3, workers: Workers(count: 1))
        let part = try encoder.encoder.encode(ids: [4, 7, 1], workers: Workers(count: 1))
        #expect(cut.elements == part.elements)
    }

    @Test func `a prompt is encoded once`() throws {
        let cache = Counting()
        let encoder = try encoder(cache)
        for prompt in ["a fox", "", "a fox", " a fox ", "", "a red fox"] {
            _ = try encoder.states(of: prompt, limit: 20, workers: Workers(count: 1))
        }
        #expect(cache.asked.withLock { $0 } == 3)
        #expect(cache.kept.withLock { $0 } == [[4, 6, 1], [1], [4, 7, 6, 1]])
    }

    @Test func `of many prompts the last ones are remembered`() throws {
        let cache = Counting()
        let encoder = try encoder(cache)
        let words = (0..<T5PromptEncoder.mostRemembered + 1).map { String(repeating: "a", count: $0) }
        for word in words { _ = try encoder.states(of: word, limit: 200, workers: Workers(count: 1)) }
        let asked = cache.asked.withLock { $0 }
        #expect(asked == words.count)
        _ = try encoder.states(of: words[1], limit: 200, workers: Workers(count: 1))
        #expect(cache.asked.withLock { $0 } == asked)
        _ = try encoder.states(of: words[0], limit: 200, workers: Workers(count: 1))
        #expect(cache.asked.withLock { $0 } == asked + 1)
    }

    @Test func `a tokenizer of another model is told by a token that the encoder lacks`() throws {
        let directory = try TemporaryDirectory()
        try TinyTextEncoder.write(to: directory.path)
        let encoder = try T5PromptEncoder(
            tokenizer: GoldenTokenizer(name: "nfkc").path, encoder: "\(directory.path)/text_encoder")
        let error = try #require(throws: ModelError.self) {
            try encoder.states(of: "a red apple", limit: 20, workers: Workers(count: 1))
        }
        #expect("\(error)".contains("must be of one model"))
    }

    @Test func `the tiny tokenizer is the same in both forms`() throws {
        let directory = try TemporaryDirectory()
        try directory.write(TinyTextEncoder.model, to: "spiece.model")
        let one = try UnigramTokenizer(directory: directory.path)
        let second = try TemporaryDirectory()
        try second.write(text: TinyTextEncoder.json, to: "tokenizer.json")
        let other = try UnigramTokenizer(directory: second.path)
        #expect(one.tokens(of: "\tred é ☃", limit: 20).ids == [7, 3, 9, 3, 2, 1])
        #expect(other.tokens(of: "red", limit: 20).ids == [7, 1])
        #expect(other.tokens(of: "é ☃ </s> red <pad> a", limit: 20).ids == [3, 9, 2, 1, 5, 0, 10, 1])
    }
}
