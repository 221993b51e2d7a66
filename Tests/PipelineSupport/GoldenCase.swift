import Compute
import Foundation
import Models
import Pipeline
import Sampling
import Testing

/// One of the tiny random-weight models that `Scripts/golden/models.py` made, with the reference's outputs.
package struct GoldenCase: CustomTestStringConvertible, Sendable {
    /// The folder's name.
    package let name: String

    /// The case of a name.
    package init(name: String) { self.name = name }

    package static let all = [
        "diffusers-epsilon-sigma", "diffusers-v", "diffusers-flow", "official-sample",
        "official-epsilon-sigma-float16", "official-v-bfloat16-shards", "official-flow-sample",
    ].map(GoldenCase.init(name:))

    /// Those of clips, which `Scripts/golden/latte.py` made.
    package static let clips = ["latte-classes", "latte-one-frame", "latte-unconditional-float16"]
        .map(GoldenCase.init(name:))

    package var testDescription: String { name }

    /// The scalars of a case.
    package struct Scalars: Decodable {
        package struct Forward: Decodable {
            package let timestep: Double
            package let `class`: Int
            package let output: String
        }

        package struct Run: Decodable {
            package struct Scheduler: Decodable {
                package let timestep_spacing: String?
                package let beta_start: Double?
                package let beta_end: Double?
            }

            package let scheduler: String
            package let scheduler_config: Scheduler
            package let prediction_type: PredictionType
            package let steps: Int
            package let timesteps: [Double]
            package let `class`: Int
            package let guidance_scale: Double
        }

        /// Whose names and `config.json` the model has.
        package let layout: String
        package let forwards: [Forward]
        package let run: Run
    }

    private var folder: String {
        (Bundle.module.resourceURL?.path ?? "") + "/Golden/\(name)"
    }

    /// The network, as the DiT that it is.
    package func network() throws -> DiT { try #require(try directory().load() as? DiT) }

    /// The network of an image or of a clip.
    package func anyNetwork() throws -> any DiTNetwork {
        try #require(try directory().load() as? any DiTNetwork)
    }

    package func directory() throws -> ModelDirectory { try ModelDirectory(path: folder) }

    package func scalars() throws -> Scalars {
        try JSONDecoder().decode(Scalars.self, from: Data(contentsOf: URL(filePath: "\(folder)/io.json")))
    }

    package func tensors() throws -> SafetensorsFile { try SafetensorsFile(path: "\(folder)/io.safetensors") }
}
