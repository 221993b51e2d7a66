import Compute
import Testing

@testable import Models

/// The laws of declarations, on parts of no model.
@Suite struct DeclaredTests {
    private struct MLP {
        let fc1, fc2: Linear

        static var declared: Declared<MLP> {
            Declared(.linear("fc1", 6, to: 8), .linear("fc2", 8, to: 6)) { MLP(fc1: $0, fc2: $1) }
        }
    }

    private struct Stack {
        let blocks: [MLP]
        let norm: Tensor?
        let positions: Tensor

        static func declared(depth: Int, hasNorm: Bool = true) -> Declared<Stack> {
            Declared(
                .list((0..<depth).map { MLP.declared.inside("blocks.\($0)") }),
                .optional(.tensor("norm.weight", [6]), if: hasNorm),
                .tensor("pos", [2, 6], stored: [1, 2, 6]) { Tensor([2, 6]) }
            ) { Stack(blocks: $0, norm: $1, positions: $2) }
        }
    }

    /// A directory with a tensor for every parameter, under the names of `keys`, each in as many parts as it has names.
    private func archive(
        _ parameters: [Parameter], keys: KeyTable = KeyTable([:]), without absent: String = "",
        in directory: TemporaryDirectory
    ) throws -> WeightArchive {
        var tensors: [(name: String, tensor: Tensor)] = []
        for (index, parameter) in parameters.enumerated() {
            let shape = keys.storedShapes(of: parameter)[0]
            for (part, name) in keys.names(of: parameter.key).enumerated() where name != absent {
                let first = Float(100 * index + 1000 * part)
                tensors.append(
                    (name, Tensor((0..<shape.reduce(1, *)).map { first + Float($0) }, shape: shape)))
            }
        }
        try directory.write(SafetensorsWriter.bytes(tensors), to: "model.safetensors")
        return try WeightArchive(directory: directory.path)
    }

    @Test func `a part has the parameters of its pieces, in order, under their names`() {
        let keys = Stack.declared(depth: 2).parameters.map(\.key)
        #expect(
            keys == [
                "blocks.0.fc1.weight", "blocks.0.fc1.bias", "blocks.0.fc2.weight", "blocks.0.fc2.bias",
                "blocks.1.fc1.weight", "blocks.1.fc1.bias", "blocks.1.fc2.weight", "blocks.1.fc2.bias",
                "norm.weight", "pos",
            ])
        #expect(Stack.declared(depth: 0, hasNorm: false).parameters.map(\.key) == ["pos"])
    }

    @Test func `a part is made of the values of its own parameters`() throws {
        let directory = try TemporaryDirectory()
        let declared = Stack.declared(depth: 3)
        let archive = try archive(declared.parameters, in: directory)
        let stack = try declared.load(from: archive, sizes: "")
        #expect(stack.blocks.count == 3)
        #expect(stack.blocks[1].fc2.weight.shape == [6, 8])
        #expect(stack.blocks[1].fc2.weight.elements[0] == 600)
        #expect(stack.blocks[2].fc1.bias.elements == (0..<8).map { Float(900 + $0) })
        #expect(try #require(stack.norm).elements[5] == 1205)
        #expect(stack.positions.shape == [2, 6] && stack.positions.elements[3] == 1303)
    }

    @Test func `what a file may leave out is computed, and nothing else may be missing`() throws {
        let directory = try TemporaryDirectory()
        let declared = Stack.declared(depth: 1)
        let computed = try declared.load(
            from: archive(declared.parameters, without: "pos", in: directory), sizes: "")
        #expect(computed.positions.elements == Array(repeating: 0, count: 12))
        let other = try TemporaryDirectory()
        let broken = try archive(declared.parameters, without: "norm.weight", in: other)
        let error = try #require(throws: ModelError.self) { try declared.load(from: broken, sizes: "") }
        #expect(error == .missingTensors(directory: other.path, names: ["norm.weight"], count: 1))
    }

    @Test func `a table gives each parameter its foreign names, and joins the rows of several`() throws {
        let keys = KeyTable([
            "blocks.{i}.fc1": ["layers.{i}.first.a", "layers.{i}.first.b"], "blocks.{i}.fc2": ["layers.{i}.second"],
            "pos": ["embedding.positions"],
        ])
        #expect(keys.names(of: "blocks.12.fc1.bias") == ["layers.12.first.a.bias", "layers.12.first.b.bias"])
        #expect(keys.names(of: "blocks.0.fc2.weight") == ["layers.0.second.weight"])
        #expect(keys.names(of: "pos") == ["embedding.positions"])
        // What is not in the table, or only looks as if it were, keeps its name.
        for key in ["norm.weight", "blocks.x.fc1.weight", "blocks.1.fc1.2.weight", "positions"] {
            #expect(keys.names(of: key) == [key])
        }
        let directory = try TemporaryDirectory()
        let declared = Stack.declared(depth: 2)
        let stack = try declared.load(
            from: archive(declared.parameters, keys: keys, in: directory), keys: keys, sizes: "")
        let weight = stack.blocks[1].fc1.weight
        #expect(weight.shape == [8, 6])
        let expected: [Float] = [400, 1400].flatMap { first in (0..<24).map { Float(first + $0) } }
        #expect(weight.elements == expected)
    }

    @Test func `progress rises to 1 exactly`() throws {
        let directory = try TemporaryDirectory()
        let declared = Stack.declared(depth: 2)
        var shares: [Double] = []
        let archive = try archive(declared.parameters, without: "pos", in: directory)
        _ = try declared.load(from: archive, sizes: "", progress: { shares.append($0) })
        #expect(shares == shares.sorted() && shares.last == 1 && shares.count == 9)
    }

    @Test func `random values are finite, none zero, and the same for the same seed`() throws {
        let declared = Stack.declared(depth: 2)
        let (one, same, other) = (
            try declared.random(seed: 1), try declared.random(seed: 1), try declared.random(seed: 2)
        )
        func all(_ stack: Stack) -> [Float] {
            stack.blocks.flatMap {
                $0.fc1.weight.elements + $0.fc1.bias.elements + $0.fc2.weight.elements + $0.fc2.bias.elements
            } + (stack.norm?.elements ?? [])
        }
        #expect(all(one).allSatisfy { $0.isFinite && $0 != 0 })
        #expect(all(one) == all(same) && all(one) != all(other))
        #expect(declared.parameterCount == all(one).count)
    }

    @Test func `parts that are all equal are kept once, others each`() throws {
        let pieces = [1, 2, 2].enumerated().map { index, value in
            Declared<Int>(parameters: [Parameter("p\(index)", [1])]) { _, _ in value }
        }
        let source = RandomParameters(seed: 1, engine: OpenBLASEngine())
        #expect(try Declared<[Int]>.list(pieces, joining: ==).made(from: source) == [1, 2, 2])
        #expect(try Declared<[Int]>.list(Array(pieces[1...]), joining: ==).made(from: source) == [2])
        #expect(try Declared<[Int]>.list([], joining: { (a: Int, b: Int) in a == b }).made(from: source) == [])
    }

    @Test func `a DiT has as many parameters as a file of it holds numbers`() throws {
        let model = WeightsModelDirectory.official()
        let weights = try model.load()
        let config = try DiTConfig(text: Array(model.config.utf8))
        let stored = model.tensors.filter { $0.key != "pos_embed" }.reduce(0) { $0 + $1.value.count }
        #expect(weights.parameterCount(config) == stored)
    }
}
