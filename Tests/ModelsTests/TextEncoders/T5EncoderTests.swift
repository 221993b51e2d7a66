import Compute
import Foundation
import TestSupport
import Testing

@testable import Models

@Suite struct T5EncoderTests {
    @Test(arguments: GoldenTextEncoder.all, GoldenTextEncoder.lengths)
    func `states are those of transformers`(golden: GoldenTextEncoder, count: Int) throws {
        let states = try golden.load().encode(ids: golden.ids(count: count), workers: Workers(count: 2))
        let expected = try golden.states(count: count)
        #expect(states.shape == expected.shape)
        let error = largestRelativeDifference(states.elements, against: expected.elements)
        #expect(figure("states of \(golden.name), \(count) tokens, largest difference", error, below: 1e-5))
    }

    @Test(arguments: GoldenTextEncoder.all)
    func `states of padding are those of transformers, and no token attends to it`(golden: GoldenTextEncoder) throws {
        let (encoder, ids, workers) = (try golden.load(), try golden.ids(count: 17), Workers(count: 2))
        let expected = try golden.padded()
        let padding = Array(repeating: T5Encoder.padding, count: expected.shape[0] - ids.count)
        let states = try encoder.encode(ids: ids + padding, workers: workers).elements
        let error = largestRelativeDifference(states, against: expected.elements)
        #expect(figure("states of \(golden.name) with padding, largest difference", error, below: 1e-5))
        let alone = try encoder.encode(ids: ids, workers: workers).elements
        #expect(largestRelativeDifference(Array(states.prefix(alone.count)), against: alone) < 1e-6)
    }

    @Test(arguments: GoldenTextEncoder.all)
    func `distances have the buckets of transformers, each of them`(golden: GoldenTextEncoder) throws {
        let config = try golden.load().config
        let found = (-400...400).map {
            RelativePositionBias.bucket(of: $0, buckets: config.buckets, farthest: config.farthest)
        }
        #expect(found == (try golden.tokens().buckets))
    }

    @Test(arguments: GoldenTextEncoder.all)
    func `the number of threads changes no bit`(golden: GoldenTextEncoder) throws {
        let encoder = try golden.load()
        let ids = try golden.ids(count: 128)
        let one = try encoder.encode(ids: ids, workers: Workers(count: 1)).elements
        for count in [2, 3] {
            #expect(try encoder.encode(ids: ids, workers: Workers(count: count)).elements == one)
        }
    }

    @Test func `no token has no states`() throws {
        #expect(try GoldenTextEncoder.all[0].load().encode(ids: [], workers: Workers(count: 1)).shape == [0, 32])
    }

    @Test func `the embedding may be stored under its other name`() throws {
        let golden = GoldenTextEncoder.all[0]
        let directory = try TemporaryDirectory()
        try golden.rewrite(to: directory) { ($0 == "shared.weight" ? "encoder.embed_tokens.weight" : $0, $1) }
        let ids = try golden.ids(count: 17)
        let states = try T5Encoder(directory: directory.path).encode(ids: ids, workers: Workers(count: 1))
        #expect(states.elements == (try golden.load().encode(ids: ids, workers: Workers(count: 1)).elements))
    }

    // MARK: - Bad files

    /// The error of an encoder whose files have been changed; it must be one line.
    private func problem(
        _ golden: GoldenTextEncoder = .all[0], config: [String: Any] = [:],
        ids: [Int32] = [1], _ tensor: (String, Tensor) -> (name: String, tensor: Tensor)? = { ($0, $1) }
    ) throws -> String {
        let directory = try TemporaryDirectory()
        try golden.rewrite(to: directory, config: config, tensor)
        let error = try #require(throws: (any Error).self) {
            try T5Encoder(directory: directory.path).encode(ids: ids, workers: Workers(count: 1))
        }
        #expect(error is ModelError || error is SafetensorsError)
        #expect(!"\(error)".contains("\n"))
        return "\(error)"
    }

    @Test func `an encoder of another kind is named`() throws {
        #expect(try problem(config: ["model_type": "umt5"]).contains("model_type is umt5; supported: t5"))
        #expect(try problem(config: ["model_type": "clip_text_model"]).contains("clip_text_model"))
        #expect(
            try problem(config: ["feed_forward_proj": "gated-silu"])
                .contains("feed_forward_proj is gated-silu; supported: gated-gelu, relu"))
        #expect(try problem(config: ["dense_act_fn": "gelu"]).contains("dense_act_fn is gelu; only gelu_new"))
    }

    @Test func `sizes out of bounds are named`() throws {
        let bad: [(String, Any)] = [
            ("d_model", 0), ("num_layers", -1), ("num_heads", 1 << 30), ("d_ff", "64"), ("layer_norm_epsilon", 0),
            ("relative_attention_num_buckets", 2), ("relative_attention_max_distance", 8), ("d_kv", 1.5),
        ]
        for (key, value) in bad { #expect(try problem(config: [key: value]).contains(key)) }
    }

    @Test func `every missing tensor is named`() throws {
        let golden = GoldenTextEncoder.all[2]
        let names = try WeightArchive(directory: golden.folder).names
            .filter { $0.hasPrefix("encoder.") || $0 == "shared.weight" }
        #expect(names.count > 15)
        for missing in names where missing != "encoder.embed_tokens.weight" {
            #expect(try problem(golden) { $0 == missing ? nil : ($0, $1) }.contains(missing))
        }
    }

    @Test func `an encoder of another width says what was expected and what is there`() throws {
        let text = try problem(config: ["d_model": 48])
        #expect(text.contains("[97, 32]"))
        #expect(text.contains("[97, 48]"))
        #expect(text.contains("d_model 48"))
    }

    @Test func `tensors of an encoder that is none of these are named`() throws {
        let golden = GoldenTextEncoder.all[0]
        let directory = try TemporaryDirectory()
        try golden.rewrite(to: directory, config: ["num_layers": 2])
        let error = try #require(throws: ModelError.self) { try T5Encoder(directory: directory.path) }
        #expect("\(error)".contains("encoder.block.2."))
    }

    @Test(arguments: [GoldenTextEncoder.all[0], .all[2]], [Float.nan, .infinity, -.infinity])
    func `every weight that is not finite is named`(golden: GoldenTextEncoder, value: Float) throws {
        let names = try WeightArchive(directory: golden.folder).names
            .filter { $0.hasPrefix("encoder.") && $0 != "encoder.embed_tokens.weight" }
        #expect(names.count > 15)
        for name in names {
            let text = try problem(golden) { found, tensor in
                if found == name { tensor.values[3] = value }
                return (found, tensor)
            }
            #expect(text.contains("\(name) is NaN or infinite at element 3"))
        }
    }

    @Test func `a token's embedding that is not finite is named`() throws {
        let text = try problem(ids: [5, 1]) { found, tensor in
            if found == "shared.weight" { tensor.values[5 * 32 + 7] = .infinity }
            return (found, tensor)
        }
        #expect(text.contains("shared.weight is NaN or infinite at element 167"))
    }

    @Test func `a token that the encoder does not have is a tokenizer of another model`() throws {
        for id: Int32 in [97, -1] {
            #expect(try problem(ids: [id]).contains("vocab_size is 97, but the tokenizer gives the token \(id)"))
        }
    }
}
