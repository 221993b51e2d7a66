import Compute
import TestSupport
import Testing

@testable import Models

/// The laws of a Latte's forward, and what of its weights is refused.
@Suite struct LatteLawTests {
    private static let (width, side, channels) = (24, 8, 3)

    /// A Latte as it lies in files.
    private struct Files {
        var config: LatteConfig
        /// Random values of every tensor by its name.
        var tensors: [String: Tensor]

        init(frames: Int, depth: Int = 4, classes: Int = 5) throws {
            config = try LatteConfig(
                frame: LatteLawTests.parts(depth: depth, classes: max(1, classes)), frames: frames,
                isConditional: classes > 0)
            var numbers = ArbitraryNumbers(seed: 8)
            tensors = Dictionary(
                uniqueKeysWithValues: LatteWeights.declared(config, hasNullClass: true).parameters.map {
                    ($0.key, numbers.tensor($0.storedShapes[0], width: min(3 * $0.spread, 1)))
                })
        }

        /// Makes the blocks over time change nothing: their gates and the frames' positions become zero.
        mutating func stopTime() {
            for (name, tensor) in tensors where name == "temp_embed" || isModulation(name, ofBlocks: 1) {
                tensors[name] = Tensor(tensor.shape)
            }
        }

        private func isModulation(_ name: String, ofBlocks parity: Int) -> Bool {
            guard name.contains("adaLN"), name.hasPrefix("blocks."), let index = Int(name.split(separator: ".")[1])
            else { return false }
            return index % 2 == parity
        }

        /// The DiT of the blocks over space.
        func imageTensors() -> [String: Tensor] {
            var result: [String: Tensor] = [:]
            for (name, tensor) in tensors where name != "temp_embed" {
                var words = name.split(separator: ".").map(String.init)
                if words[0] == "blocks", let index = Int(words[1]) {
                    guard index.isMultiple(of: 2) else { continue }
                    words[1] = "\(index / 2)"
                }
                result[words.joined(separator: ".")] = tensor
            }
            return result
        }

        func load() throws -> any DenoisingNetwork { try LatteLawTests.load(config, tensors) }
    }

    private static func parts(depth: Int, classes: Int) throws -> DiTConfig {
        try DiTConfig(
            depth: depth, hiddenSize: width, heads: 2, patchSize: 2, inputSize: side, inChannels: channels,
            learnSigma: true, numClasses: classes)
    }

    private static func load(
        _ config: any NetworkConfiguration, _ tensors: [String: Tensor]
    ) throws -> any DenoisingNetwork {
        let directory = try TemporaryDirectory()
        let bytes = SafetensorsWriter.bytes(tensors.sorted { $0.key < $1.key }.map { (name: $0.key, tensor: $0.value) })
        try directory.write(bytes, to: "model.safetensors")
        return try config.load(
            from: WeightArchive(directory: directory.path), prompts: nil, precision: .float32, engine: OpenBLASEngine(),
            progress: nil)
    }

    private static func output(of network: any DenoisingNetwork, on latents: [Float]) throws -> [Float] {
        let session = try network.workspace(entries: 1, workers: Workers(count: 2)).session(
            timesteps: [300], conditions: [.label(0)])
        let output = Tensor([2 * latents.count])
        session.evaluate(
            latents: Tensor(latents, shape: network.latentShape.dimensions), call: 0, subset: BatchSubset(first: 1),
            into: [output], interceptor: nil)
        return output.elements
    }

    private static func latents(frames: Int) -> [Float] { noise(channels * frames * side * side, seed: 4, scale: 2) }

    /// The frames of `clip` (C, F, H, W) in another order.
    private static func reordered(_ clip: [Float], _ order: [Int]) -> [Float] {
        let plane = side * side
        let channels = clip.count / plane / order.count
        var result: [Float] = []
        for channel in 0..<channels {
            for frame in order { result += clip[((channel * order.count + frame) * plane)...].prefix(plane) }
        }
        return result
    }

    @Test func `with one frame and no gates over time it is the DiT of the other blocks, bit for bit`() throws {
        var files = try Files(frames: 1)
        files.stopTime()
        let image = try Self.load(try Self.parts(depth: 2, classes: 5), files.imageTensors())
        let latents = Self.latents(frames: 1)
        #expect(try Self.output(of: files.load(), on: latents) == Self.output(of: image, on: latents))
    }

    @Test func `without gates over time every frame is drawn by itself`() throws {
        var files = try Files(frames: 3)
        files.stopTime()
        let image = try Self.load(try Self.parts(depth: 2, classes: 5), files.imageTensors())
        let clip = Self.latents(frames: 3)
        let output = try Self.output(of: files.load(), on: clip)
        for frame in 0..<3 {
            func alone(_ clip: [Float]) -> [Float] {
                let plane = Self.side * Self.side
                var result: [Float] = []
                for channel in 0..<clip.count / plane / 3 {
                    result += clip[((3 * channel + frame) * plane)...].prefix(plane)
                }
                return result
            }
            let expected = try Self.output(of: image, on: alone(clip))
            #expect(largestRelativeDifference(alone(output), against: expected) < 1e-6, "frame \(frame)")
        }
    }

    @Test func `frames in another order, their positions with them, are drawn in that order`() throws {
        let order = [2, 0, 4, 1, 3]
        var files = try Files(frames: 5)
        let clip = Self.latents(frames: 5)
        let expected = Self.reordered(try Self.output(of: files.load(), on: clip), order)
        let kept = try Self.output(of: files.load(), on: Self.reordered(clip, order))
        #expect(largestRelativeDifference(kept, against: expected) > 0.01)
        let times = try #require(files.tensors["temp_embed"])
        let rows: [Float] = order.flatMap { Array(times.values[$0 * Self.width..<($0 + 1) * Self.width]) }
        files.tensors["temp_embed"] = Tensor(rows, shape: times.shape)
        let moved = try Self.output(of: files.load(), on: Self.reordered(clip, order))
        #expect(largestRelativeDifference(moved, against: expected) < 1e-5)
    }

    @Test func `positions of frames that are not stored are those of the reference`() throws {
        var files = try Files(frames: 5)
        files.tensors["temp_embed"] = nil
        let network = try #require(try files.load() as? Latte)
        let times = try #require(network.times)
        #expect(times.shape == [5, Self.width])
        // Position 3, the third of twelve frequencies: 10000^(-2/12).
        #expect(abs(times.values[3 * Self.width + 2] - 0.6023) < 1e-3)
        #expect(abs(times.values[3 * Self.width + 12 + 2] - 0.7983) < 1e-3)
    }

    @Test func `the layers over time have a name of their own, and the clip's grid`() throws {
        let network = try Files(frames: 3).load()
        #expect(network.layerKinds == [.attention, .mlp, .temporalAttention])
        #expect(network.sites.allSatisfy { $0.shape == [3, 4, 4, Self.width] })
        let attention = network.steps.filter { ["attention", "temporal attention"].contains($0.name) }
        let expected: [Int] = [16, 3, 16, 3].map { keys in 2 * 48 * keys * Self.width }
        #expect(attention.map(\.multiplyAdds) == expected)
    }

    @Test func `without classes there is no table of them`() throws {
        var files = try Files(frames: 2, classes: 0)
        let network = try files.load()
        #expect(!network.canBeGuided)
        #expect(files.tensors["y_embedder.embedding_table.weight"] == nil)
        files.tensors["y_embedder.embedding_table.weight"] = Tensor([6, Self.width])
        let error = #expect(throws: ModelError.self) { try files.load() }
        #expect("\(try #require(error))".contains("y_embedder.embedding_table.weight"))
    }

    @Test func `frames that the file has no positions for, and blocks that it lacks, are told`() throws {
        var files = try Files(frames: 5)
        files.config = try LatteConfig(frame: files.config.frame, frames: 6)
        let positions = #expect(throws: ModelError.self) { try files.load() }
        #expect("\(try #require(positions))".contains("temp_embed"))
        #expect("\(try #require(positions))".contains("num_frames 6"))
        files.config = try LatteConfig(frame: Self.parts(depth: 6, classes: 5), frames: 5)
        let blocks = #expect(throws: ModelError.self) { try files.load() }
        #expect("\(try #require(blocks))".contains("4 blocks"), "\(blocks?.description ?? "")")
    }
}
