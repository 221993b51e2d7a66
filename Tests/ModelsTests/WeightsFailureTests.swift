import Compute
import Testing

@testable import Models

@Suite struct WeightsFailureTests {
    private func failure(_ model: WeightsModelDirectory) throws -> ModelError {
        try #require(throws: ModelError.self) { try model.load() }
    }

    @Test func `missing tensors are named and counted`() throws {
        var model = WeightsModelDirectory.official()
        model.remove(prefix: "blocks.1.mlp.fc2.bias")
        guard case .missingTensors(_, ["blocks.1.mlp.fc2.bias"], 1) = try failure(model) else {
            Issue.record("\(try failure(model))")
            return
        }
        model.remove(prefix: "blocks.1.mlp")
        model.remove(prefix: "t_embedder")
        let error = try failure(model)
        guard case .missingTensors(_, let names, 8) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(names == ["t_embedder.mlp.0.weight", "t_embedder.mlp.0.bias", "t_embedder.mlp.2.weight"])
        #expect(error.description.contains("8 tensors are missing: t_embedder.mlp.0.weight, "))
        #expect(error.kind == .badData)
    }

    @Test(arguments: [
        ("x_embedder.proj.weight", [8, 3, 4, 1], [8, 3, 2, 2]),
        ("x_embedder.proj.weight", [8, 12], [8, 3, 2, 2]),
        ("blocks.1.attn.qkv.weight", [8, 24], [24, 8]),
        ("blocks.0.mlp.fc1.bias", [31], [32]),
        ("final_layer.linear.weight", [12, 8], [24, 8]),
        ("y_embedder.embedding_table.weight", [6, 8], [5, 8]),
        ("pos_embed", [1, 16, 8], [1, 9, 8]),
        ("pos_embed", [9, 8], [1, 9, 8]),
    ])
    func `a misshapen tensor is named with what was found and what the configuration implies`(
        name: String, found: [Int], expected: [Int]
    ) throws {
        var model = WeightsModelDirectory.official()
        model.add(name, found)
        let error = try failure(model)
        guard case .shapeContradictsConfig(_, name, expected, found, _) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(error.description.contains("tensor \(name) has shape \(found), but config.json (hidden_size 8, "))
        #expect(error.description.contains("implies \(expected)"))
        #expect(error.kind == .badData)
    }

    @Test(arguments: [
        ("hidden_size", "8", "16"), ("patch_size", "2", "1"), ("in_channels", "3", "4"),
        ("learn_sigma", "true", "false"),
        ("num_classes", "4", "7"), ("input_size", "6", "8"),
    ])
    func `a configuration that contradicts the weights is refused with both`(
        key: String, old: String, new: String
    ) throws {
        var model = WeightsModelDirectory.official()
        model.config = model.config.replacing(#""\#(key)": \#(old)"#, with: #""\#(key)": \#(new)"#)
        let error = try failure(model)
        #expect(error.description.contains("\(key) \(new)"), "\(error)")
        #expect(error.description.contains("has shape"))
    }

    @Test(arguments: [1, 3])
    func `a depth that the weights do not have is refused with both`(depth: Int) throws {
        for var model in [WeightsModelDirectory.official(), .diffusers()] {
            model.config = model.config.replacing(#""depth": 2"#, with: #""depth": \#(depth)"#)
                .replacing(#""num_layers": 2"#, with: #""num_layers": \#(depth)"#)
            let error = try failure(model)
            #expect(error.description.contains("have 2 blocks, but config.json says \(depth)"), "\(error)")
        }
    }

    @Test func `weights of another model are refused with some of their names`() throws {
        var model = WeightsModelDirectory.official()
        model.remove(prefix: "")
        model.add("conv_in.weight", [8, 3, 2, 2])
        let error = try failure(model)
        #expect(error.description.contains("of no known layout (they hold conv_in.weight, …)"))
        #expect(error.kind == .badData)
    }

    /// Tensors by which a relative differs from DiT: norms of queries and keys (SiT with qk_norm), gated MLPs
    /// (LightningDiT), decoders and tokens (MaskDiT), relative positions (MDT), class tokens (REG).
    @Test(arguments: [
        "blocks.1.attn.q_norm.weight", "blocks.0.mlp.w12.weight", "blocks.0.norm1.weight",
        "decoder_layer.linear.weight", "mask_token", "blocks.0.attn.rel_pos_bias", "cls_token",
        "final_layer.linear_cls.weight", "y_embedder.null",
    ])
    func `a tensor of a relative is never dropped`(name: String) throws {
        var model = WeightsModelDirectory.official()
        model.add(name, [8])
        let error = try failure(model)
        guard case .foreignTensors(_, _, [name], 1) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(error.description.contains("another network than a DiT or SiT: it also has 1 tensor \(name);"))
        #expect(error.kind == .badData)
    }

    @Test(arguments: [
        "module.", "_orig_mod.", "_orig_mod.module.", "module.module.", "net.", "_forward_module._orig_mod.",
        "model.ema.",
    ])
    func `names of a wrapped model tell how to take the wrapper off`(prefix: String) throws {
        for plain in [WeightsModelDirectory.official(), .diffusers()] {
            var model = plain
            model.remove(prefix: "")
            for (name, tensor) in plain.tensors { model.add(prefix + name, tensor.shape) }
            let error = try failure(model)
            guard case .wrappedNames = error else {
                Issue.record("\(error)")
                continue
            }
            #expect(error.description.contains("python3 Scripts/convert.py /"), "\(error)")
            #expect(error.description.contains(prefix), "\(error)")
        }
    }

    @Test(arguments: [
        ("blocks.0.attn.", "blocks.0._checkpoint_wrapped_module.attn."),
        ("blocks.1.", "blocks._orig_mod.1."), ("final_layer.", "final_layer._fsdp_wrapped_module."),
    ])
    func `a wrapper inside a model is told, too`(part: String, wrapped: String) throws {
        let whole = WeightsModelDirectory.official()
        var model = whole
        model.remove(prefix: part)
        for (name, tensor) in whole.tensors where name.hasPrefix(part) {
            model.add(name.replacing(part, with: wrapped), tensor.shape)
        }
        guard case .wrappedNames = try failure(model) else {
            Issue.record("\(try failure(model))")
            return
        }
    }

    @Test(arguments: ["ema.", "model.", "teacher.net."])
    func `two networks in one file are told`(prefix: String) throws {
        var model = WeightsModelDirectory.official()
        for (name, tensor) in model.tensors { model.add(prefix + name, tensor.shape) }
        let error = try failure(model)
        #expect(error == .severalNetworks(directory: error.directory, example: "\(prefix)x_embedder.proj.weight"))
    }

    @Test func `a damaged weight is refused by name`() throws {
        let model = WeightsModelDirectory.official()
        let tensor = try #require(model.tensors["blocks.1.attn.proj.weight"])
        tensor.values[13] = .nan
        let error = try #require(throws: SafetensorsError.self) { try model.load() }
        guard case .notFinite(_, "blocks.1.attn.proj.weight", 13) = error else {
            Issue.record("\(error)")
            return
        }
    }

    @Test func `nothing is allocated for weights that do not fit`() throws {
        var model = WeightsModelDirectory.official()
        model.add("final_layer.linear.weight", [12, 8])
        let directory = try TemporaryDirectory()
        try model.write(to: directory)
        let archive = try WeightArchive(directory: directory.path)
        let config = try DiTConfig(directory: directory.path)
        var calls = 0
        #expect(throws: ModelError.self) { try DiTWeights(from: archive, config: config) { _ in calls += 1 } }
        #expect(calls == 0)
    }
}

extension ModelError {
    /// The directory that it names; empty for another error.
    fileprivate var directory: String {
        if case .severalNetworks(let directory, _) = self { directory } else { "" }
    }
}
