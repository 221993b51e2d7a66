import Compute
import FuzzHarness
import Models
import TestSupport

/// The files of a tokenizer and of a text encoder.
enum TextReaders {
    /// Texts that a tokenizer must not fail on, whatever its file holds.
    private static let texts = [
        "", "a red fox", "\ta  red\u{0}fox ''", "☃é👩‍🚀 [X]</s> <pad>", String(repeating: "aé\t", count: 300), "▁▁ ▁",
    ]

    private static func tokenize(_ folder: String) throws {
        let tokenizer = try UnigramTokenizer(directory: folder)
        for text in texts {
            for limit in [1, 3, 100_000] {
                let found = tokenizer.tokens(of: text, limit: limit)
                guard (1...limit).contains(found.ids.count) else {
                    throw Breach("\(found.ids.count) tokens of \(limit)")
                }
                guard found.cutOff.map(text.hasSuffix) ?? true else { throw Breach("cut off what was not there") }
            }
        }
    }

    /// SentencePiece's own file.
    static let model = Reader("spiece-model") { folder in
        let words = ["\u{2581}", "</s>", "<0x00>", "\u{12}\u{2}\u{18}\u{2}", "\u{18}\u{4}", "\u{18}\u{5}"]
        return Subject(
            seeds: [TinyTextEncoder.model], at: "\(folder)/spiece.model", mutate: ByteMutation(words: words).mutated
        ) { try tokenize(folder) }
    }

    /// The tokenizers library's file.
    static let json = Reader("tokenizer-json") { folder in
        let words = [
            "\"Unigram\"", "\"BPE\"", "\"Precompiled\"", "\"Metaspace\"", "\"first\"", "\"never\"",
            "\"add_prefix_space\"", "\"WhitespaceSplit\"", "\" {2,}\"", "\"\u{2581}\"", "[\"a\", -1.5]", "[]",
            "\"byte_fallback\"", "\"AAAAAA==\"",
        ]
        return Subject(
            seeds: [Array(TinyTextEncoder.json.utf8)], at: "\(folder)/tokenizer.json",
            mutate: JSONMutation(words: words).mutated
        ) { try tokenize(folder) }
    }

    /// The configuration of a text encoder, which is then run on a few tokens.
    static let encoder = Reader("text-encoder") { folder in
        try TinyTextEncoder.write(to: folder)
        let path = "\(folder)/text_encoder/config.json"
        let words = ["\"relu\"", "\"gated-gelu\"", "\"num_layers\"", "\"d_kv\"", "\"umt5\"", "\"dense_act_fn\""]
        return Subject(seeds: [try Files.read(path)], at: path, mutate: JSONMutation(words: words).mutated) {
            let encoder = try T5Encoder(directory: "\(folder)/text_encoder")
            let states = try encoder.encode(ids: [3, 5, 1], workers: Workers(count: 1))
            guard states.shape == [3, encoder.config.width] else { throw Breach("states of \(states.shape)") }
        }
    }
}
