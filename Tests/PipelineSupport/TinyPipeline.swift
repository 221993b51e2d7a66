import Compute
import Foundation
import Models
import TestSupport

/// A diffusers pipeline of one block on 4 x 4 latents with random weights, in a folder that is removed with this object;
/// its texts can be changed before it is written.
package final class TinyPipeline {
    /// The texts of the JSON files by their paths in the directory; nil for one that is left out.
    package var texts: [String: String?] = [
        "model_index.json": """
        {"_class_name": "DiTPipeline", "_diffusers_version": "0.42.1",
         "id2label": {"0": "tench, Tinca tinca", "1": "crane", "2": "crane, hoist"},
         "scheduler": ["diffusers", "DDIMScheduler"], "transformer": ["diffusers", "DiTTransformer2DModel"],
         "vae": ["diffusers", "AutoencoderKL"]}
        """,
        "transformer/config.json": """
        {"_class_name": "DiTTransformer2DModel", "num_layers": 1, "num_attention_heads": 2,
         "attention_head_dim": 8, "patch_size": 2, "sample_size": 4, "in_channels": 4, "out_channels": 8,
         "num_embeds_ada_norm": 3}
        """,
        "vae/config.json": #"{"_class_name": "AutoencoderKL", "latent_channels": 4, "scaling_factor": 0.18215}"#,
        "scheduler/scheduler_config.json": """
        {"_class_name": "DDIMScheduler", "beta_schedule": "scaled_linear", "clip_sample": false, "steps_offset": 1}
        """,
    ]
    /// The folder that the directory lies in.
    package let folder: String
    /// The directory.
    package var path: String { "\(folder)/tiny-pipeline" }

    package init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "omnicache-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        folder = url.path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Writes all files and returns the directory's path.
    @discardableResult
    package func write() throws -> String {
        for (name, text) in texts { if let text { try write(Data(text.utf8), to: name) } }
        try write(Data(Self.weights), to: "transformer/diffusion_pytorch_model.safetensors")
        return path
    }

    /// Writes a directory of ours: the network's files alone.
    @discardableResult
    package func writePlain(config: String) throws -> String {
        try write(Data(config.utf8), to: "config.json")
        try write(Data(Self.weights), to: "model.safetensors")
        return path
    }

    /// Writes one file of the directory, and the folders that it lies in.
    package func write(_ data: Data, to name: String) throws {
        let file = URL(filePath: "\(path)/\(name)")
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try data.write(to: file)
    }

    /// Removes a file or a folder of the directory.
    package func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: "\(path)/\(name)")
    }

    private static let weights: [UInt8] = {
        let block = "transformer_blocks.0"
        let shapes: [(String, [Int])] = [
            ("pos_embed.proj", [16, 4, 2, 2]), ("\(block).norm1.emb.timestep_embedder.linear_1", [16, 256]),
            ("\(block).norm1.emb.timestep_embedder.linear_2", [16, 16]), ("\(block).norm1.linear", [96, 16]),
            ("\(block).attn1.to_q", [16, 16]), ("\(block).attn1.to_k", [16, 16]), ("\(block).attn1.to_v", [16, 16]),
            ("\(block).attn1.to_out.0", [16, 16]), ("\(block).ff.net.0.proj", [64, 16]),
            ("\(block).ff.net.2", [16, 64]), ("proj_out_1", [32, 16]), ("proj_out_2", [32, 16]),
        ]
        var tensors: [String: [Int]] = ["\(block).norm1.emb.class_embedder.embedding_table.weight": [4, 16]]
        for (module, shape) in shapes {
            tensors["\(module).weight"] = shape
            tensors["\(module).bias"] = [shape[0]]
        }
        return SafetensorsWriter.bytes(
            tensors.sorted { $0.key < $1.key }.enumerated().map { index, tensor in
                let count = tensor.value.reduce(1, *)
                return (tensor.key, Tensor(noise(count, seed: UInt64(index), scale: 0.2), shape: tensor.value))
            })
    }()
}
