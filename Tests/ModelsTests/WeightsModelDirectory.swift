import Compute

@testable import Models

/// A tiny model directory, the tensors of which are spelled out name by name and can be changed before writing.
///
/// Tensor n, counted by the order of the names, holds n + k/4096 at its element k, so that each number tells where it
/// came from.
struct WeightsModelDirectory {
    private(set) var tensors: [String: Tensor] = [:]
    var config = """
        {"depth": 2, "hidden_size": 8, "num_heads": 2, "patch_size": 2, "input_size": 6, "in_channels": 3,
         "learn_sigma": true, "num_classes": 4}
        """

    static let diffusersConfig = """
        {"_class_name": "DiTTransformer2DModel", "num_layers": 2, "num_attention_heads": 2, "attention_head_dim": 4,
         "patch_size": 2, "sample_size": 6, "in_channels": 3, "out_channels": 6, "num_embeds_ada_norm": 4}
        """

    /// A model with the names of facebookresearch/DiT.
    static func official(nullClass: Bool = true) -> WeightsModelDirectory {
        var model = WeightsModelDirectory()
        model.addLinear("x_embedder.proj", [8, 3, 2, 2])
        model.addLinear("t_embedder.mlp.0", [8, 256])
        model.addLinear("t_embedder.mlp.2", [8, 8])
        model.add("y_embedder.embedding_table.weight", [nullClass ? 5 : 4, 8])
        for block in ["blocks.0", "blocks.1"] {
            model.addLinear(block + ".adaLN_modulation.1", [48, 8])
            model.addLinear(block + ".attn.qkv", [24, 8])
            model.addLinear(block + ".attn.proj", [8, 8])
            model.addLinear(block + ".mlp.fc1", [32, 8])
            model.addLinear(block + ".mlp.fc2", [8, 32])
        }
        model.addLinear("final_layer.adaLN_modulation.1", [16, 8])
        model.addLinear("final_layer.linear", [24, 8])
        model.add("pos_embed", [1, 9, 8])
        return model
    }

    /// A model with the names of diffusers' DiTTransformer2DModel.
    static func diffusers(sharedEmbedder: Bool = false) -> WeightsModelDirectory {
        var model = WeightsModelDirectory(config: diffusersConfig)
        model.addLinear("pos_embed.proj", [8, 3, 2, 2])
        for block in ["transformer_blocks.0", "transformer_blocks.1"] {
            model.addLinear(block + ".norm1.emb.timestep_embedder.linear_1", [8, 256])
            model.addLinear(block + ".norm1.emb.timestep_embedder.linear_2", [8, 8])
            model.add(block + ".norm1.emb.class_embedder.embedding_table.weight", [5, 8])
            model.addLinear(block + ".norm1.linear", [48, 8])
            model.addLinear(block + ".attn1.to_q", [8, 8])
            model.addLinear(block + ".attn1.to_k", [8, 8])
            model.addLinear(block + ".attn1.to_v", [8, 8])
            model.addLinear(block + ".attn1.to_out.0", [8, 8])
            model.addLinear(block + ".ff.net.0.proj", [32, 8])
            model.addLinear(block + ".ff.net.2", [8, 32])
        }
        model.addLinear("proj_out_1", [16, 8])
        model.addLinear("proj_out_2", [24, 8])
        if sharedEmbedder {
            for name in model.tensors.keys where name.hasPrefix("transformer_blocks.1.norm1.emb.") {
                model.tensors[name] = model.tensors[name.replacing("blocks.1", with: "blocks.0")]
            }
        }
        return model
    }

    private init() {}

    private init(config: String) {
        self.config = config
    }

    private mutating func addLinear(_ module: String, _ shape: [Int]) {
        add(module + ".weight", shape)
        add(module + ".bias", [shape[0]])
    }

    /// Adds or replaces a tensor of the given shape.
    mutating func add(_ name: String, _ shape: [Int]) {
        let number = Float(tensors.count)
        tensors[name] = Tensor((0..<shape.reduce(1, *)).map { number + Float($0) / 4096 }, shape: shape)
    }

    /// Removes the tensors with the given beginning of the name.
    mutating func remove(prefix: String) {
        tensors = tensors.filter { !$0.key.hasPrefix(prefix) }
    }

    /// The values of the tensor `name`.
    func elements(_ name: String) -> [Float] {
        tensors[name]?.elements ?? []
    }

    /// Writes the directory, opens it and loads its weights.
    func load() throws -> DiTWeights {
        let directory = try TemporaryDirectory()
        try write(to: directory)
        return try Self.load(directory)
    }

    /// The same with the upper halves of all numbers only, as bfloat16.
    func loadBFloat16(precision: WeightPrecision) throws -> DiTWeights {
        let directory = try TemporaryDirectory()
        var (members, data): ([String], [UInt8]) = ([], [])
        for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
            let bytes = littleEndian(tensor.elements.map { UInt16($0.bitPattern >> 16) })
            members.append(
                "\"\(name)\":{\"dtype\":\"BF16\",\"shape\":\(tensor.shape),"
                    + "\"data_offsets\":[\(data.count),\(data.count + bytes.count)]}")
            data += bytes
        }
        try directory.write(safetensors("{\(members.joined(separator: ","))}", data: data), to: "model.safetensors")
        try directory.write(text: config, to: "config.json")
        return try Self.load(directory, precision: precision)
    }

    private static func load(
        _ directory: TemporaryDirectory, precision: WeightPrecision = .float32
    ) throws -> DiTWeights {
        try DiTWeights(
            from: WeightArchive(directory: directory.path), config: DiTConfig(directory: directory.path),
            precision: precision)
    }

    /// Writes `config.json` and `model.safetensors`.
    func write(to directory: TemporaryDirectory) throws {
        let sorted = tensors.sorted { $0.key < $1.key }.map { (name: $0.key, tensor: $0.value) }
        try directory.write(SafetensorsWriter.bytes(sorted), to: "model.safetensors")
        try directory.write(text: config, to: "config.json")
    }
}
