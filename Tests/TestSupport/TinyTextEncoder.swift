import Compute
import Foundation
import Models

/// A unigram tokenizer of a few pieces, and a T5 encoder of 16 x 2 with random weights that goes with it.
public enum TinyTextEncoder {
    /// The tokenizer's pieces with their scores.
    static let pieces: [(text: String, score: Float, kind: UInt8)] =
        [("<pad>", 0, 3), ("</s>", 0, 3), ("<unk>", 0, 2), ("\u{2581}", -3, 1), ("\u{2581}a", -2, 1), ("red", -4, 1)]
        + [("\u{2581}fox", -4.5, 1), ("\u{2581}red", -3.5, 1), ("[X]", 0, 4), ("é", -7, 1)]
        + "abcdefghijklmnopqrstuvwxyz".enumerated().map { ("\($1)", -5 - 0.125 * Float($0), 1) }

    /// The width of a token's state.
    public static let width = 16

    /// Writes `tokenizer` and `text_encoder` of a pipeline.
    public static func write(to directory: String, seed: UInt64 = 1) throws {
        let config = """
            {"model_type": "t5", "vocab_size": \(pieces.count), "d_model": \(width), "d_kv": 4, "d_ff": 24, "num_layers": 2,
             "num_heads": 3, "feed_forward_proj": "gated-gelu", "layer_norm_epsilon": 1e-06}
            """
        let files: [(String, [UInt8])] = [
            ("tokenizer/spiece.model", model), ("text_encoder/config.json", Array(config.utf8)),
            ("text_encoder/model.safetensors", weights(seed: seed)),
        ]
        for (name, bytes) in files {
            let url = URL(filePath: "\(directory)/\(name)")
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(bytes).write(to: url)
        }
    }

    private static func weights(seed: UInt64) -> [UInt8] {
        var shapes: [(String, [Int])] = [
            ("shared", [pieces.count, width]), ("encoder.final_layer_norm", [width]),
            ("encoder.block.0.layer.0.SelfAttention.relative_attention_bias", [32, 3]),
        ]
        for block in (0..<2).map({ "encoder.block.\($0).layer" }) {
            shapes += ["q", "k", "v"].map { ("\(block).0.SelfAttention.\($0)", [12, width]) }
            shapes += ["wi_0", "wi_1"].map { ("\(block).1.DenseReluDense.\($0)", [24, width]) }
            shapes += [
                ("\(block).0.SelfAttention.o", [width, 12]), ("\(block).1.DenseReluDense.wo", [width, 24]),
                ("\(block).0.layer_norm", [width]), ("\(block).1.layer_norm", [width]),
            ]
        }
        return SafetensorsWriter.bytes(
            shapes.enumerated().map { index, shape in
                let count = shape.1.reduce(1, *)
                let numbers = noise(count, seed: seed &* 1000 &+ UInt64(index), scale: 0.6)
                return (name: "\(shape.0).weight", tensor: Tensor(numbers, shape: shape.1))
            })
    }

    // MARK: - Tokenizer files

    /// The bytes of `spiece.model`.
    public static var model: [UInt8] {
        let pieces = pieces.flatMap { piece in
            let score = [0x15] + littleEndian(piece.score.bitPattern)
            return field(1, field(1, Array(piece.text.utf8)) + score + [0x18, piece.kind])
        }
        let normalizer = field(1, Array("tiny".utf8)) + field(2, characterMap) + [0x18, 1]
        // Between them, of the training that it is a unigram model.
        return pieces + field(2, [0x18, 1]) + field(3, normalizer)
    }

    /// The text of `tokenizer.json`.
    public static var json: String {
        let vocabulary = pieces.map { "[\"\($0.text)\", \($0.score)]" }.joined(separator: ", ")
        return """
            {"version": "1.0", "added_tokens": [{"id": 0, "content": "<pad>", "single_word": false, "lstrip": false,
             "rstrip": true, "normalized": false, "special": true}, {"id": 1, "content": "</s>", "single_word": true,
             "lstrip": true, "rstrip": false, "normalized": false, "special": true}],
             "normalizer": {"type": "Sequence", "normalizers": [{"type": "Precompiled", "precompiled_charsmap":
             "\(Data(characterMap).base64EncodedString())"}, {"type": "Strip", "strip_left": false, "strip_right": true},
             {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
             {"type": "Replace", "pattern": {"String": "''"}, "content": "x"}]},
             "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "Metaspace",
             "replacement": "\u{2581}", "prepend_scheme": "first", "split": true}]},
             "post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}},
             {"SpecialToken": {"id": "</s>", "type_id": 0}}], "pair": [],
             "special_tokens": {"</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}}}, "decoder": null,
             "model": {"type": "Unigram", "unk_id": 2, "byte_fallback": false, "vocab": [\(vocabulary)]}}
            """
    }

    /// A character map with one rule, that a tab is a space: a trie whose root has one child, and that a value.
    private static var characterMap: [UInt8] {
        let (tab, place) = (UInt32(9), 0x100 ^ 9)
        var units = [UInt32](repeating: 0, count: place + 1)
        units[0] = 0x100 << 10
        units[place] = 1 << 10 | 0x100 | tab
        units[place ^ 1] = 1 << 31
        return littleEndian(UInt32(4 * units.count)) + units.flatMap(littleEndian) + [0x20, 0]
    }

    /// A protocol buffer field that holds bytes.
    private static func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
        // A length in groups of seven bits: three groups are enough here.
        let length = bytes.count
        return [number << 3 | 2, UInt8(length & 127) | 128, UInt8(length >> 7 & 127) | 128, UInt8(length >> 14)] + bytes
    }

    private static func littleEndian(_ number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
    }
}
