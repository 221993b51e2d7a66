import Compute
import Foundation
import Models
import Pipeline
import Synchronization
import Testing

/// One of the tiny PixArts that `Scripts/golden/pixart.py` made, or a network of their parts, with diffusers' outputs.
package struct PixArtCase: CustomTestStringConvertible, Sendable {
    /// The folder's name.
    package let name: String

    /// The case of a name.
    package init(name: String) { self.name = name }

    package static let all = ["pixart-alpha", "pixart-alpha-sizes", "pixart-sigma", "pixart-sigma-odd"]
        .map(PixArtCase.init(name:))
    /// The tiny LatteT2Vs that `Scripts/golden/latte_t2v.py` made.
    package static let clips = ["lattet2v", "lattet2v-one-frame"].map(PixArtCase.init(name:))
    /// A case whose pictures are of the training's size.
    package static let square = all[0]

    package var testDescription: String { name }

    /// The scalars of a case.
    package struct Scalars: Decodable {
        package struct Forward: Decodable {
            package let timestep: Double
            package let caption: Int
        }

        package struct Run: Decodable {
            package let steps: Int
            package let timesteps: [Double]
            package let caption: Int
            package let guidance_scale: Double
        }

        package let width, height: Int
        /// The prompts; the last is the empty one.
        package let captions: [String]
        /// How many tokens they have; nil where all states are those of tokens, and none of what pads them.
        package let lengths: [Int]?
        package let forwards: [Forward]
        package let run: Run
    }

    private var folder: String { (Bundle.module.resourceURL?.path ?? "") + "/Golden/\(name)" }

    package func directory() throws -> ModelDirectory { try ModelDirectory(path: folder) }

    package func scalars() throws -> Scalars {
        try JSONDecoder().decode(Scalars.self, from: Data(contentsOf: URL(filePath: "\(folder)/io.json")))
    }

    package func tensors() throws -> SafetensorsFile { try SafetensorsFile(path: "\(folder)/io.safetensors") }

    /// The states that the reference was given.
    package func encoder() throws -> RecordedEncoder {
        let tensors = try tensors()
        let scalars = try scalars()
        let states = try scalars.captions.enumerated().map { ($1, try tensors.tensor("caption.\($0)")) }
        let lengths = scalars.lengths.map { Dictionary(uniqueKeysWithValues: zip(scalars.captions, $0)) }
        return RecordedEncoder(Dictionary(uniqueKeysWithValues: states), lengths: lengths ?? [:])
    }

    /// The network for pictures of the case's size.
    package func network(
        _ encoder: (any PromptEncoder)? = nil, engine: any Engine = OpenBLASEngine()
    ) throws -> any DenoisingNetwork {
        let (directory, scalars) = (try directory(), try scalars())
        try BLAS.open()
        return try directory.config.sized(width: scalars.width, height: scalars.height).load(
            from: directory.archive, prompts: encoder ?? self.encoder(), precision: .float32, engine: engine,
            progress: nil)
    }
}

/// An encoder that knows the states of a few prompts, and counts how often it is asked.
package final class RecordedEncoder: PromptEncoder {
    package let width: Int

    private let known: [String: Tensor]
    /// How many of the states are those of a prompt's tokens, where not all are.
    private let lengths: [String: Int]
    private let asked = Atomic<Int>(0)

    /// The encoder of the given states; of those with a length, the rest pads.
    package init(_ known: [String: Tensor], lengths: [String: Int] = [:]) {
        self.known = known
        self.lengths = lengths
        width = known.values.first?.shape[1] ?? 0
    }

    /// How often states were asked for.
    package var calls: Int { asked.load(ordering: .relaxed) }

    package func states(of prompt: String, limit: Int, length: Int?, workers: Workers) throws -> Tensor {
        asked.add(1, ordering: .relaxed)
        let states = try #require(known[prompt], "no states of '\(prompt)'")
        guard let rows = length ?? lengths[prompt] else { return states }
        try #require(rows <= states.shape[0], "only \(states.shape[0]) states of '\(prompt)'")
        return Tensor(Array(states.elements.prefix(rows * width)), shape: [rows, width])
    }
}
