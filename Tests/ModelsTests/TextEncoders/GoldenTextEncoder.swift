import Compute
import Foundation
import Testing

@testable import Models

/// One of the tiny T5 encoders that `Scripts/golden/t5.py` made, with tokens and the states that transformers gives.
struct GoldenTextEncoder: CustomTestStringConvertible, Sendable {
    let folder: String

    static let all = ["gated", "gated-bfloat16-shards", "relu-float16"].map {
        GoldenTextEncoder(path: (Bundle.module.resourceURL?.path ?? "") + "/Golden/t5/\($0)")
    }
    static let lengths = [1, 2, 17, 128, 300]

    init(path: String) {
        folder = path
    }

    var name: String { URL(filePath: folder).lastPathComponent }

    var testDescription: String { name }

    func load() throws -> T5Encoder { try T5Encoder(directory: folder) }

    /// What `tokens.json` holds.
    struct Tokens: Decodable {
        let ids: [[Int32]]
        let buckets: [Int]
    }

    func tokens() throws -> Tokens {
        try JSONDecoder().decode(Tokens.self, from: Data(contentsOf: URL(filePath: "\(folder)/tokens.json")))
    }

    func ids(count: Int) throws -> [Int32] {
        try #require(try tokens().ids.first { $0.count == count })
    }

    func states(count: Int) throws -> Tensor {
        try SafetensorsFile(path: "\(folder)/io.safetensors").tensor("states.\(count)")
    }

    /// The states of the prompt of 17 tokens and of what pads it.
    func padded() throws -> Tensor { try SafetensorsFile(path: "\(folder)/io.safetensors").tensor("padded") }

    /// Writes the configuration and the weights in 32 bits into another directory, with changes.
    func rewrite(
        to directory: TemporaryDirectory, config change: [String: Any] = [:],
        _ tensor: (String, Tensor) -> (name: String, tensor: Tensor)? = { ($0, $1) }
    ) throws {
        let text = try Data(contentsOf: URL(filePath: "\(folder)/config.json"))
        var config = try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
        for (key, value) in change { config[key] = value }
        try directory.write(JSONSerialization.data(withJSONObject: config), to: "config.json")
        let archive = try WeightArchive(directory: folder)
        let tensors = try archive.names.compactMap { name in
            tensor(name, try archive.tensor(name, shape: archive.entry(name)?.shape ?? []))
        }
        try directory.write(SafetensorsWriter.bytes(tensors), to: "model.safetensors")
    }
}
