import Compute
import Foundation
import Models
import Testing

/// One way to spoil a model directory, and what the line on standard error must say.
struct SpoiltModel: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let code: Int32
    let texts: [String]
    let spoil: @Sendable (inout ModelFiles) -> Void

    init(
        _ description: String, _ code: Int32, _ texts: String..., spoil: @escaping @Sendable (inout ModelFiles) -> Void
    ) {
        testDescription = description
        self.code = code
        self.texts = texts
        self.spoil = spoil
    }
}

/// What a model directory is made of.
struct ModelFiles {
    var model = TinyModel()
    var changeWeights: @Sendable ([UInt8]) -> [UInt8] = { $0 }
    var removed: [String] = []
    var texts: [String: String] = [:]

    /// Changes a piece of the safetensors header to another of the same length.
    mutating func header(_ old: String, _ new: String) {
        precondition(old.utf8.count == new.utf8.count, "the header's length must stay")
        changeWeights = { bytes in
            let found = Data(bytes).range(of: Data(old.utf8))
            var bytes = bytes
            if let found { bytes.replaceSubrange(found, with: new.utf8) }
            return bytes
        }
    }

    /// Writes the directory.
    func write(to directory: String) throws {
        try model.write(to: directory)
        try Data(changeWeights(model.weights)).write(to: URL(filePath: "\(directory)/model.safetensors"))
        for (name, text) in texts { try Data(text.utf8).write(to: URL(filePath: "\(directory)/\(name)")) }
        for name in removed { try FileManager.default.removeItem(atPath: "\(directory)/\(name)") }
    }
}

/// Model directories that cannot be used: one line, the right exit code, and nothing left behind.
@Suite struct BadModelTests {
    private static let qkv = "blocks.0.attn.qkv.weight"

    static let spoilt: [SpoiltModel] = [
        SpoiltModel("no config.json", 66, "config.json") { $0.removed = ["config.json"] },
        SpoiltModel("no weights", 66, ".safetensors") { $0.removed = ["model.safetensors"] },
        SpoiltModel("an empty directory", 66, "config.json") { $0.removed = ["config.json", "model.safetensors"] },
        SpoiltModel("weights cut short", 65, "model.safetensors") { $0.changeWeights = { $0.dropLast(100) } },
        SpoiltModel("weights of 4 bytes", 65, "model.safetensors") { $0.changeWeights = { Array($0.prefix(4)) } },
        SpoiltModel("empty weights", 65, "model.safetensors") { $0.changeWeights = { _ in [] } },
        SpoiltModel("bytes that belong to no tensor", 65, "model.safetensors") {
            $0.changeWeights = { $0 + [0, 0, 0, 0] }
        },
        SpoiltModel("a header beyond the file", 65, "model.safetensors", "header") {
            $0.changeWeights = { [0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0] + $0.dropFirst(8) }
        },
        SpoiltModel("a header length of 2^64 - 1", 65, "model.safetensors", "header") {
            $0.changeWeights = { Array(repeating: 0xFF, count: 8) + $0.dropFirst(8) }
        },
        SpoiltModel("tensors that overlap", 65, "model.safetensors") {
            $0.header("\"data_offsets\":[384,", "\"data_offsets\":[380,")
        },
        SpoiltModel("a shape that cannot be multiplied", 65, "model.safetensors") {
            $0.model.config["num_classes"] = 3
            $0.changeWeights = { bytes in
                SpoiltModel.withHeader(of: bytes) { header in
                    header.replacingOccurrences(
                        of: "\"shape\":[96,16]", with: "\"shape\":[4294967296,4294967296,4294967296]")
                }
            }
        },
        SpoiltModel("integers for weights", 65, qkv, "I32") { files in
            files.changeWeights = { bytes in
                SpoiltModel.withHeader(of: bytes) { header in
                    header.replacingOccurrences(
                        of: "\"\(qkv)\":{\"dtype\":\"F32\"", with: "\"\(qkv)\":{\"dtype\":\"I32\"")
                }
            }
        },
        SpoiltModel("a missing tensor", 65, qkv) { $0.model.tensors[qkv] = nil },
        SpoiltModel("a misshapen tensor", 65, qkv, "[48, 16]", "[47, 16]") { $0.model.add(qkv, [47, 16]) },
        SpoiltModel("a NaN", 65, qkv, "NaN") { files in
            files.model.tensors[qkv] = Tensor([Float](repeating: .nan, count: 768), shape: [48, 16])
        },
        SpoiltModel("one more block in the config", 65, "blocks", "config.json") { $0.model.config["depth"] = 2 },
        SpoiltModel("another width in the config", 65, "[", "config.json") { $0.model.config["hidden_size"] = 32 },
        SpoiltModel("another number of classes in the config", 65, "y_embedder.embedding_table", "config.json") {
            $0.model.config["num_classes"] = 7
            $0.model.config["class_names"] = nil
        },
        SpoiltModel("another number of class names", 65, "class_names", "config.json") {
            $0.model.config["class_names"] = ["one"]
        },
        SpoiltModel("a config that is no JSON", 65, "config.json", "JSON") { $0.texts["config.json"] = "{" },
        SpoiltModel("a config without a depth", 65, "config.json", "depth") { $0.model.config["depth"] = nil },
        SpoiltModel("a beta above 1", 65, "config.json", "beta_end") { $0.model.config["beta_end"] = 2 },
        SpoiltModel("an unknown prediction type", 65, "config.json", "prediction_type", "epsilon") {
            $0.model.config["prediction_type"] = "guess"
        },
    ]

    @Test(arguments: spoilt)
    func `a spoilt model directory is named in one line`(spoilt: SpoiltModel) throws {
        let place = try Workplace()
        var files = ModelFiles()
        spoilt.spoil(&files)
        let directory = "\(place.path)/spoilt"
        try files.write(to: directory)
        let before = place.files
        let result = try place.sample("--model", "spoilt", "--seed", "1", "--class", "0")
        result.expectFailure(spoilt.code, "spoilt")
        for text in spoilt.texts { #expect(result.errorText.contains(text), "'\(text)' in: \(result.errorText)") }
        #expect(place.files == before)
    }

    @Test func `the same directory unspoilt is sampled from`() throws {
        let place = try Workplace()
        try ModelFiles().write(to: "\(place.path)/whole")
        try place.sample("--model", "whole", "--seed", "1", "--class", "0").expectSuccess()
    }

    @Test func `a model that is not there is missing input`() throws {
        let place = try Workplace()
        try place.sample("--model", "nowhere", "--seed", "1").expectFailure(66, "nowhere")
        try place.sample("--model", "no/where", "--seed", "1").expectFailure(66, "no/where")
        try place.shell("OMNICACHE_MODELS=/nowhere exec \"$OMNICACHE\" --seed 1").expectFailure(
            66, "/nowhere", "--model")
        #expect(place.files.isEmpty)
    }

    @Test func `a PyTorch checkpoint in place of a directory is told how to be converted`() throws {
        let place = try Workplace()
        try Data([0x50, 0x4B, 3, 4]).write(to: URL(filePath: "\(place.path)/DiT-XL-2-256x256.pt"))
        let advice = "python3 Scripts/convert.py DiT-XL-2-256x256.pt"
        try place.sample("--model", "DiT-XL-2-256x256.pt", "--seed", "1").expectFailure(
            65, "DiT-XL-2-256x256.pt", advice)
        try place.run("info", "DiT-XL-2-256x256.pt").expectFailure(65, "DiT-XL-2-256x256.pt", advice)
    }

    @Test func `a run that diverges leaves neither image nor latents`() throws {
        let place = try Workplace()
        try place.sample("--seed", "1", "--cfg-scale", "1e38", "--steps", "9", "--save-latents", "l.safetensors")
            .expectFailure(65, "diverged", "--cfg-scale")
        #expect(place.files.isEmpty)
    }
}

extension SpoiltModel {
    /// A safetensors file with another header, its length set right.
    static func withHeader(of bytes: [UInt8], _ change: (String) -> String) -> [UInt8] {
        let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        let header = Array(change(String(decoding: bytes[8..<8 + length], as: UTF8.self)).utf8)
        return withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) } + header + bytes[(8 + length)...]
    }
}
