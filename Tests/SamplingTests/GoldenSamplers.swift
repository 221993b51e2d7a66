import Foundation
import Testing

@testable import Sampling

/// What Scripts/golden/samplers.py wrote.
struct GoldenSamplers: Decodable {
    struct Timesteps: Decodable {
        let spacing: TimestepSpacing
        let steps: Int
        let multistep: Bool
        let offset: Int
        let timesteps: [Int]
    }

    struct Run: Decodable {
        let options: SamplerOptions
        let process: DiffusionProcess
        let steps: Int
        let result: [Float]

        private enum CodingKeys: CodingKey { case options, process, steps, result }

        /// The keys of a process that the script writes.
        private struct Process: Decodable {
            let prediction_type: PredictionType
            let beta_schedule: String?
            let shift: Double?
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            options = try values.decode(SamplerOptions.self, forKey: .options)
            steps = try values.decode(Int.self, forKey: .steps)
            result = try values.decode([Float].self, forKey: .result)
            let written = try values.decode(Process.self, forKey: .process)
            switch (written.beta_schedule, written.shift) {
            case (_, let shift?):
                process = try DiffusionProcess(Flow(shift: shift))
            case ("scaled_linear", _):
                process = try DiffusionProcess(written.prediction_type, betas: .scaledLinear(start: 0.0001, end: 0.02))
            default:
                process = try DiffusionProcess(written.prediction_type, betas: .linear(start: 0.0001, end: 0.02))
            }
        }
    }

    let initial: [Float]
    let noise: [Float]
    let timesteps: [Timesteps]
    /// By spacing: a digest over the lists of all step counts from 2 to 1000.
    let digests: [String: String]
    /// By beta schedule and timestep.
    let alphaBars: [String: [String: Double]]
    let runs: [Run]

    static func load() throws -> GoldenSamplers {
        let url = try #require(
            Bundle.module.url(forResource: "samplers", withExtension: "json", subdirectory: "Golden"))
        return try JSONDecoder().decode(GoldenSamplers.self, from: Data(contentsOf: url))
    }

    /// The final latents of `run` as this library computes them.
    func sample(_ run: Run) throws -> [Float] {
        let sampler = try makeSampler(
            run.options, process: run.process, steps: run.steps, shape: [initial.count])
        return drive(
            sampler, from: initial, noise: noise,
            model: { x, call in
                0.9 * x * call.timestep / (call.timestep + 1) + 0.2 * sin(3 * x + call.timestep / 100)
            },
            variance: { x, call in sin(2 * x + call.timestep / 50) })
    }
}
