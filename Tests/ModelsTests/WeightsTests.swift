import Compute
import TestSupport
import Testing

@testable import Models

@Suite struct WeightsTests {
    private func expect(
        _ linear: Linear, _ shape: [Int], is modules: String..., from model: WeightsModelDirectory,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(linear.weight.shape == shape, sourceLocation: sourceLocation)
        #expect(linear.bias.shape == [shape[0]], sourceLocation: sourceLocation)
        let weight = modules.flatMap { model.elements($0 + ".weight") }
        let bias = modules.flatMap { model.elements($0 + ".bias") }
        #expect(linear.weight.elements == weight, sourceLocation: sourceLocation)
        #expect(linear.bias.elements == bias, sourceLocation: sourceLocation)
    }

    @Test func `official names land where they belong`() throws {
        let model = WeightsModelDirectory.official()
        let weights = try model.load()
        #expect(weights.layout == .official)
        #expect(weights.hasNullClass)
        #expect(weights.unusedTensors.isEmpty)
        expect(weights.patchEmbedding, [8, 12], is: "x_embedder.proj", from: model)
        #expect(weights.positions.shape == [9, 8])
        #expect(weights.positions.elements == model.elements("pos_embed"))
        #expect(weights.embedders.count == 1)
        expect(weights.embedders[0].timestepIn, [8, 256], is: "t_embedder.mlp.0", from: model)
        expect(weights.embedders[0].timestepOut, [8, 8], is: "t_embedder.mlp.2", from: model)
        #expect(weights.embedders[0].labels?.shape == [5, 8])
        #expect(weights.embedders[0].labels?.elements == model.elements("y_embedder.embedding_table.weight"))
        try #require(weights.blocks.count == 2)
        for (i, block) in weights.blocks.enumerated() {
            expect(block.modulation, [48, 8], is: "blocks.\(i).adaLN_modulation.1", from: model)
            expect(block.qkv, [24, 8], is: "blocks.\(i).attn.qkv", from: model)
            expect(block.proj, [8, 8], is: "blocks.\(i).attn.proj", from: model)
            expect(block.fc1, [32, 8], is: "blocks.\(i).mlp.fc1", from: model)
            expect(block.fc2, [8, 32], is: "blocks.\(i).mlp.fc2", from: model)
        }
        expect(weights.finalModulation, [16, 8], is: "final_layer.adaLN_modulation.1", from: model)
        expect(weights.finalProjection, [24, 8], is: "final_layer.linear", from: model)
    }

    @Test func `diffusers' names land where they belong`() throws {
        let model = WeightsModelDirectory.diffusers()
        let weights = try model.load()
        #expect(weights.layout == .diffusers)
        #expect(weights.hasNullClass)
        #expect(weights.unusedTensors.isEmpty)
        expect(weights.patchEmbedding, [8, 12], is: "pos_embed.proj", from: model)
        #expect(weights.positions.elements == SinCosPositions.table(gridSize: 3, width: 8).elements)
        try #require(weights.embedders.count == 2)
        try #require(weights.blocks.count == 2)
        for (i, block) in weights.blocks.enumerated() {
            let name = "transformer_blocks.\(i)"
            let embedder = weights.embedder(ofBlock: i)
            expect(embedder.timestepIn, [8, 256], is: name + ".norm1.emb.timestep_embedder.linear_1", from: model)
            expect(embedder.timestepOut, [8, 8], is: name + ".norm1.emb.timestep_embedder.linear_2", from: model)
            #expect(
                embedder.labels?.elements
                    == model.elements(name + ".norm1.emb.class_embedder.embedding_table.weight"))
            expect(block.modulation, [48, 8], is: name + ".norm1.linear", from: model)
            expect(
                block.qkv, [24, 8], is: name + ".attn1.to_q", name + ".attn1.to_k", name + ".attn1.to_v", from: model)
            expect(block.proj, [8, 8], is: name + ".attn1.to_out.0", from: model)
            expect(block.fc1, [32, 8], is: name + ".ff.net.0.proj", from: model)
            expect(block.fc2, [8, 32], is: name + ".ff.net.2", from: model)
        }
        expect(weights.finalModulation, [16, 8], is: "proj_out_1", from: model)
        expect(weights.finalProjection, [24, 8], is: "proj_out_2", from: model)
    }

    @Test func `equal embedders are kept once, and serve every block`() throws {
        let weights = try WeightsModelDirectory.diffusers(sharedEmbedder: true).load()
        #expect(weights.embedders.count == 1)
        #expect(weights.embedder(ofBlock: 1).labels === weights.embedders[0].labels)
    }

    @Test func `a stored position table is used, an absent one computed`() throws {
        var diffusers = WeightsModelDirectory.diffusers()
        diffusers.add("pos_embed.pos_embed", [1, 9, 8])
        #expect(try diffusers.load().positions.elements == diffusers.elements("pos_embed.pos_embed"))
        var official = WeightsModelDirectory.official()
        official.remove(prefix: "pos_embed")
        #expect(try official.load().positions.elements == SinCosPositions.table(gridSize: 3, width: 8).elements)
    }

    @Test func `a label table may lack the null class in the official layout only`() throws {
        let model = WeightsModelDirectory.official(nullClass: false)
        let weights = try model.load()
        #expect(!weights.hasNullClass)
        #expect(weights.embedders[0].labels?.shape == [4, 8])
        var diffusers = WeightsModelDirectory.diffusers()
        diffusers.add("transformer_blocks.0.norm1.emb.class_embedder.embedding_table.weight", [4, 8])
        #expect(throws: ModelError.self) { try diffusers.load() }
    }

    @Test func `what trainers save beside a network is reported, not refused`() throws {
        var model = WeightsModelDirectory.official()
        model.add("ema.decay", [1])
        model.add("projectors.0.0.weight", [16, 8])
        model.add("vae.decoder.conv_in.weight", [8, 4, 3, 3])
        #expect(
            try model.load().unusedTensors
                == ["ema.decay", "projectors.0.0.weight", "vae.decoder.conv_in.weight"])
    }

    @Test func `progress rises to 1`() throws {
        let directory = try TemporaryDirectory()
        try WeightsModelDirectory.diffusers().write(to: directory)
        var shares: [Double] = []
        _ = try DiTWeights(
            from: WeightArchive(directory: directory.path), config: DiTConfig(directory: directory.path),
            progress: { shares.append($0) })
        #expect(shares == shares.sorted())
        #expect(Set(shares).count == shares.count)
        #expect(shares.last == 1)
    }

    @Test func `the position table is that of diffusers`() {
        // PatchEmbed(height=6, width=6, patch_size=2, in_channels=3, embed_dim=8).pos_embed[0, [1, 3, 5]].tolist()
        let table = SinCosPositions.table(gridSize: 3, width: 8)
        let expected: [Int: [Float]] = [
            1: [0.8414709568023682, 0.009999833069741726, 0.5403022766113281, 0.9999499917030334, 0, 0, 1, 1],
            3: [0, 0, 1, 1, 0.8414709568023682, 0.009999833069741726, 0.5403022766113281, 0.9999499917030334],
            5: [
                0.9092974066734314, 0.019998665899038315, -0.416146844625473, 0.9998000264167786, 0.8414709568023682,
                0.009999833069741726, 0.5403022766113281, 0.9999499917030334,
            ],
        ]
        for (token, numbers) in expected { #expect(Array(table.elements[token * 8..<(token + 1) * 8]) == numbers) }
    }
}
