import Compute
import Evaluation
import Foundation
import FuzzHarness
import Models
import Pipeline
import TestSupport

/// Weight files and their index.
enum WeightReaders {
    /// The header of a safetensors file, and each tensor that it promises.
    static let safetensors = Reader("safetensors") { folder in
        let path = "\(folder)/file.safetensors"
        let sound = SafetensorsWriter.bytes(
            [
                ("blocks.0.weight", Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])), ("é", Tensor([7], shape: [])),
                ("empty", Tensor([0, 4])), ("last", Tensor([8, 9], shape: [2, 1])),
            ], metadata: ["format": "pt", "steps": "50"])
        return Subject(seeds: [sound, halfPrecision], at: path, mutate: SafetensorsMutation().mutated) {
            let file = try SafetensorsFile(path: path)
            for entry in file.entries {
                guard let type = entry.elementType else { continue }
                guard entry.range.count * 8 == entry.count * type.bits else {
                    throw Breach("\(entry.name): \(entry.range) does not hold \(entry.shape)")
                }
                guard type.isLoadable else { continue }
                guard try file.tensor(entry.name).count == entry.count else { throw Breach("\(entry.name) is cut") }
            }
        }
    }

    /// Two tensors of 16 bits, which this package reads and does not write, and one that it only lists.
    private static let halfPrecision: [UInt8] = {
        let header = """
            {"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"BF16","shape":[1,2],\
            "data_offsets":[4,8]},"c":{"dtype":"I64","shape":[1],"data_offsets":[8,16]}}
            """
        let length = (0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) }
        return length + Array(header.utf8) + [0, 0x3C, 0, 0x40, 0x80, 0x3F, 0, 0x40, 1, 0, 0, 0, 0, 0, 0, 0]
    }()

    /// The weights of a model, from their header to an image.
    static let weights = Reader("weights") { folder in
        let model = "\(folder)/model"
        try TinyModel().write(to: model)
        let path = "\(model)/model.safetensors"
        return Subject(
            seeds: [try Files.read(path)], at: path, mutate: SafetensorsMutation().mutated,
            command: ["info", "\(model)"]
        ) { try TinyRun.sample(ModelDirectory(path: model), steps: 2) }
    }

    /// The index of a model in two files.
    static let index = Reader("index") { folder in
        let model = "\(folder)/model"
        let tiny = TinyModel()
        try tiny.write(to: model)
        try FileManager.default.removeItem(atPath: "\(model)/model.safetensors")
        let names = tiny.tensors.keys.sorted()
        let shards = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
        for (number, shard) in shards.enumerated() {
            let tensors = names.enumerated().filter { $0.offset % 2 == number }.compactMap { _, name in
                tiny.tensors[name].map { (name: name, tensor: $0) }
            }
            try Files.write(SafetensorsWriter.bytes(tensors), to: "\(model)/\(shard)")
        }
        let map = names.enumerated().map { "\"\($0.element)\": \"\(shards[$0.offset % 2])\"" }
        let text = "{\"metadata\": {\"total_size\": 1}, \"weight_map\": {\(map.joined(separator: ", "))}}"
        let path = "\(model)/model.safetensors.index.json"
        let words = [
            "\"weight_map\"", "\"\(shards[0])\"", "\"model-00003-of-00003.safetensors\"", "\"../model.safetensors\"",
            "\".safetensors\"", "\"config.json\"",
        ]
        return Subject(
            seeds: [Array(text.utf8)], at: path, mutate: JSONMutation(words: words).mutated, command: ["info", model]
        ) { try TinyRun.sample(ModelDirectory(path: model), steps: 2) }
    }
}
