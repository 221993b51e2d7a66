import Compute
import Foundation
import Models

/// An MM-JiT of 16 x 1 on 8 x 8 pixels with random weights, in a pipeline with ``TinyTextEncoder``.
public enum TinyTextModel {
    /// The most tokens of a prompt.
    public static let tokens = 6

    /// Writes a directory as MiniT2I's repositories have them; `network` is the folder of the network in it.
    public static func write(to directory: String, network: String = "transformer") throws {
        try TinyTextEncoder.write(to: directory)
        let config: [String: any Sendable] = [
            "_class_name": "MiniT2IMMJiTModel", "image_size": 8, "patch_size": 4,
            "txt_input_size": TinyTextEncoder.width,
            "hidden_size": 16, "txt_hidden_size": 16, "depth_double": 1, "txt_preamble_depth": 1, "num_heads": 2,
            "head_dim": 8, "mlp_ratio": 2, "pca_channels": 4, "prompt_length": tokens, "guidance_scale": 2,
        ]
        let index: [String: any Sendable] = [
            "_class_name": "MiniT2ITextToImagePipeline", "transformer": ["diffusers", "MiniT2IMMJiTModel"],
            "scheduler": ["diffusers", "MiniT2IFlowMatchScheduler"],
            "text_encoder": ["transformers", "T5EncoderModel"],
        ]
        let scheduler = ["_class_name": "MiniT2IFlowMatchScheduler"]
        for folder in [network, "scheduler"] {
            try FileManager.default.createDirectory(
                atPath: "\(directory)/\(folder)", withIntermediateDirectories: true)
        }
        let texts: [(String, [String: any Sendable])] = [
            ("model_index.json", index), ("\(network)/config.json", config),
            ("scheduler/scheduler_config.json", scheduler),
        ]
        for (name, object) in texts {
            try JSONSerialization.data(withJSONObject: object).write(to: URL(filePath: "\(directory)/\(name)"))
        }
        try Data(weights).write(to: URL(filePath: "\(directory)/\(network)/diffusion_pytorch_model.safetensors"))
    }

    private static var weights: [UInt8] {
        var shapes: [(String, [Int])] = [
            ("img_embedder.proj1.weight", [4, 3, 4, 4]), ("img_embedder.proj2.weight", [16, 4, 1, 1]),
            ("img_embedder.proj2.bias", [16]), ("txt_embedder.weight", [16, TinyTextEncoder.width]),
            ("mask_token", [1, 1, TinyTextEncoder.width]), ("final_layer.norm_final.weight", [16]),
            ("final_layer.linear.weight", [48, 16]), ("final_layer.linear.bias", [48]),
        ]
        for (block, streams) in [("txt_preamble_blocks.0.", [""]), ("double_blocks.0.", ["img_", "txt_"])] {
            shapes += [("\(block)q_norm.weight", [8]), ("\(block)k_norm.weight", [8])]
            for stream in streams.map({ block + $0 }) {
                shapes += [
                    ("\(stream)norm1.weight", [16]), ("\(stream)norm2.weight", [16]),
                    ("\(stream)qkv.weight", [48, 16]),
                    ("\(stream)qkv.bias", [48]), ("\(stream)attn_proj.weight", [16, 16]),
                    ("\(stream)attn_proj.bias", [16]), ("\(stream)mlp.w1.weight", [32, 16]),
                    ("\(stream)mlp.w3.weight", [32, 16]), ("\(stream)mlp.w2.weight", [16, 32]),
                ]
            }
        }
        return SafetensorsWriter.bytes(
            shapes.enumerated().map { index, shape in
                let count = shape.1.reduce(1, *)
                return (
                    name: "model.net.\(shape.0)",
                    tensor: Tensor(noise(count, seed: UInt64(index + 1), scale: 0.4), shape: shape.1)
                )
            })
    }
}
