import Compute
import Foundation
import Models

/// A Diffusion Transformer of 16 x 1 on 4 x 4 pixels with random weights, or one of clips of such frames, whose files can be
/// spoilt.
public struct TinyModel {
    /// The tensors by their names.
    public var tensors: [String: Tensor] = [:]
    /// The values of `config.json`.
    public var config: [String: any Sendable] = [
        "depth": 1, "hidden_size": 16, "num_heads": 2, "patch_size": 2, "input_size": 4, "in_channels": 3,
        "learn_sigma": true, "num_classes": 3, "class_names": ["red fox", "owl", "hermit crab"],
        "value_range": [-1, 1], "prediction_type": "epsilon",
    ]

    /// A model that works.
    ///
    /// - Parameters:
    ///   - channels: the channels of the latents; the output has twice as many.
    ///   - hasNullClass: whether the model can be guided.
    public init(channels: Int = 3, hasNullClass: Bool = true) {
        config["in_channels"] = channels
        let shapes: [(String, [Int])] = [
            ("x_embedder.proj", [16, channels, 2, 2]), ("t_embedder.mlp.0", [16, 256]), ("t_embedder.mlp.2", [16, 16]),
            ("blocks.0.adaLN_modulation.1", [96, 16]), ("blocks.0.attn.qkv", [48, 16]),
            ("blocks.0.attn.proj", [16, 16]), ("blocks.0.mlp.fc1", [64, 16]), ("blocks.0.mlp.fc2", [16, 64]),
            ("final_layer.adaLN_modulation.1", [32, 16]), ("final_layer.linear", [8 * channels, 16]),
        ]
        for (module, shape) in shapes {
            add("\(module).weight", shape)
            add("\(module).bias", [shape[0]])
        }
        add("y_embedder.embedding_table.weight", [hasNullClass ? 4 : 3, 16])
    }

    /// A model of clips of so many frames: a Latte of two blocks, the second one over time.
    public static func clips(frames: Int) -> TinyModel {
        var model = TinyModel()
        for (key, value) in ["architecture": "Latte", "depth": 2, "num_frames": frames] as [String: any Sendable] {
            model.config[key] = value
        }
        for (name, tensor) in model.tensors where name.hasPrefix("blocks.0.") {
            model.add("blocks.1.\(name.dropFirst("blocks.0.".count))", tensor.shape)
        }
        model.add("temp_embed", [1, frames, 16])
        return model
    }

    /// Adds or replaces a tensor.
    public mutating func add(_ name: String, _ shape: [Int]) {
        let count = shape.reduce(1, *)
        let seed = name.utf8.reduce(UInt64(7)) { $0 &* 31 &+ UInt64($1) }
        tensors[name] = Tensor(noise(count, seed: seed, scale: 0.4), shape: shape)
    }

    /// The bytes of `model.safetensors`.
    public var weights: [UInt8] {
        SafetensorsWriter.bytes(tensors.sorted { $0.key < $1.key }.map { (name: $0.key, tensor: $0.value) })
    }

    /// Writes `config.json` and `model.safetensors`.
    public func write(to directory: String) throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try Data(weights).write(to: URL(filePath: "\(directory)/model.safetensors"))
        try JSONSerialization.data(withJSONObject: config).write(to: URL(filePath: "\(directory)/config.json"))
    }
}
