import Compute
import TestSupport
import Testing

@testable import Models

/// The names under which a PixArt's tensors may be stored.
@Suite struct PixArtLayoutTests {
    private let config: PixArtConfig
    /// Values of every tensor by the official names, with those of a convolution flattened.
    private let values: [String: Tensor]

    init() throws {
        config = try PixArtConfig(
            depth: 2, heads: 2, headDimension: 12, sampleSize: 4, captionWidth: 6, hasSizeConditions: true)
        var numbers = ArbitraryNumbers(seed: 8)
        values = Dictionary(
            uniqueKeysWithValues: PixArtWeights.declared(config).parameters.map {
                ($0.key, numbers.tensor($0.storedShapes[0], width: min($0.spread, 0.5)))
            })
    }

    /// The tensors under a layout's names; rows that it stores in several tensors are cut.
    private func tensors(_ layout: PixArtLayout) -> [(name: String, tensor: Tensor)] {
        values.sorted { $0.key < $1.key }.flatMap { key, tensor in
            let names = layout.keys.names(of: key)
            let rows = tensor.shape[0] / names.count
            let size = tensor.count / names.count
            return names.enumerated().map { index, name in
                let part = Array(tensor.values[index * size..<(index + 1) * size])
                return (name, Tensor(part, shape: [rows] + tensor.shape.dropFirst()))
            }
        }
    }

    /// The output of a network that is loaded from the tensors.
    private func output(_ tensors: [(name: String, tensor: Tensor)]) throws -> [Float] {
        let directory = try TemporaryDirectory()
        try directory.write(SafetensorsWriter.bytes(tensors), to: "model.safetensors")
        let network = try config.load(
            from: WeightArchive(directory: directory.path), prompts: RandomPromptEncoder(width: 6, tokens: 3),
            precision: .float32, engine: OpenBLASEngine(), progress: nil)
        let session = try network.workspace(entries: 1, workers: Workers(count: 1)).session(
            timesteps: [300], conditions: [.prompt("a tree")])
        let output = Tensor([2 * network.latentShape.count])
        session.evaluate(
            latents: ArbitraryNumbers.tensor(network.latentShape.dimensions, seed: 2), call: 0,
            subset: BatchSubset(first: 1), into: [output], interceptor: nil)
        return output.elements
    }

    @Test func `the authors' names and diffusers' make the same network`() throws {
        try BLAS.open()
        let official = try output(tensors(.official))
        #expect(official.allSatisfy(\.isFinite) && Set(official).count > 100)
        #expect(try output(tensors(.diffusers)) == official)
    }

    @Test func `the null caption of the training and a table of positions are left alone`() throws {
        try BLAS.open()
        let beside = [("y_embedder.y_embedding", Tensor([120, 6])), ("pos_embed", Tensor([1, 4, 24]))]
        #expect(try output(tensors(.official) + beside) == output(tensors(.official)))
    }

    @Test(arguments: [
        "blocks.0.attn.q_norm.weight", "blocks.1.attn.sr.weight", "blocks.2.mlp.fc1.bias", "blocks.0.attn.norm.bias",
    ])
    func `a relative of the network is refused by what it also has`(name: String) throws {
        let error = #expect(throws: ModelError.self) {
            try output(tensors(.official) + [(name, Tensor([4]))])
        }
        #expect("\(try #require(error))".contains("it also has 1 tensor \(name)"))
    }

    @Test func `wrapped, foreign and missing names are told`() throws {
        for (tensors, says) in [
            (
                tensors(.official).map { ("module." + $0.name, $0.tensor) },
                "a wrapped model (module.x_embedder.proj.weight)"
            ),
            ([("conv_in.weight", Tensor([2]))], "no known layout (they hold conv_in.weight"),
            (tensors(.diffusers).filter { $0.name != "proj_out.bias" }, "1 tensor is missing: proj_out.bias"),
        ] {
            let error = #expect(throws: ModelError.self) { try output(tensors) }
            #expect("\(try #require(error))".contains(says), "\(error.map { "\($0)" } ?? "")")
        }
    }

    @Test func `a network of true size has as many parameters as diffusers'`() throws {
        // As diffusers counts them.
        let config = try PixArtConfig(depth: 28, heads: 16, headDimension: 72, sampleSize: 64)
        #expect(PixArtWeights.declared(config).parameterCount == 610_856_096)
    }
}
