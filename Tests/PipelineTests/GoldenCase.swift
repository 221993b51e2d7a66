import Foundation
import Models
import Pipeline
import Sampling
import Tensor
import Testing

/// One of the tiny random-weight models that `Scripts/golden/models.py` made, with the reference's outputs.
struct GoldenCase: CustomTestStringConvertible, Sendable {
    /// The folder's name.
    let name: String

    static let all = [
        "diffusers-epsilon-sigma", "diffusers-v", "diffusers-flow", "official-sample",
        "official-epsilon-sigma-float16", "official-v-bfloat16-shards",
    ].map(GoldenCase.init)

    var testDescription: String { name }

    /// The scalars of a case.
    struct Scalars: Decodable {
        struct Forward: Decodable {
            let timestep: Double
            let `class`: Int
            let output: String
        }

        struct Run: Decodable {
            struct Scheduler: Decodable {
                let timestep_spacing: String?
                let beta_start: Double?
                let beta_end: Double?
            }

            let scheduler: String
            let scheduler_config: Scheduler
            let prediction_type: PredictionType
            let steps: Int
            let timesteps: [Double]
            let `class`: Int
            let guidance_scale: Double
        }

        let forwards: [Forward]
        let run: Run
    }

    private var folder: String {
        (Bundle.module.resourceURL?.path ?? "") + "/Golden/\(name)"
    }

    /// The network, as the DiT that it is.
    func network() throws -> DiT { try #require(try directory().load() as? DiT) }

    func directory() throws -> ModelDirectory { try ModelDirectory(path: folder) }

    func scalars() throws -> Scalars {
        try JSONDecoder().decode(Scalars.self, from: Data(contentsOf: URL(filePath: "\(folder)/io.json")))
    }

    func tensors() throws -> SafetensorsFile { try SafetensorsFile(path: "\(folder)/io.safetensors") }
}
