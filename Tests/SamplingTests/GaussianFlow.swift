import Compute
import Glibc

@testable import Sampling

/// The perfect flow model of data from N(0, 0.5²), written from SiT's formulas in the time t towards the data.
///
/// It knows nothing but what it is told: the state and the timestep.
final class GaussianFlow: Denoiser {
    static let deviation = 0.5

    let flow: Flow
    let hasVariance = false

    init(_ flow: Flow) { self.flow = flow }

    func process() throws -> DiffusionProcess { try DiffusionProcess(flow) }

    /// α, σ and their derivatives at t (willisma/SiT, transport/path.py: ICPlan and GVPCPlan).
    struct Mixture {
        let alpha: Double
        let sigma: Double
        let alphaRate: Double
        let sigmaRate: Double

        init(_ path: Flow.Path, at t: Double) {
            switch path {
            case .linear: (alpha, sigma, alphaRate, sigmaRate) = (t, 1 - t, 1, -1)
            case .trigonometric:
                let angle = Double.pi / 2 * t
                (alpha, sigma) = (sin(angle), cos(angle))
                (alphaRate, sigmaRate) = (.pi / 2 * cos(angle), -.pi / 2 * sin(angle))
            }
        }

        /// The variance of x.
        var variance: Double { alpha * alpha * deviation * deviation + sigma * sigma }

        /// dx/dt over x: half the logarithmic derivative of the variance.
        var velocity: Double { (alphaRate * alpha * deviation * deviation + sigmaRate * sigma) / variance }

        /// SiT's `get_score_from_velocity`, of x = 1.
        var score: Double {
            let ratio = alpha / alphaRate
            return (ratio * velocity - 1) / (sigma * sigma - ratio * sigmaRate * sigma)
        }
    }

    /// t of what the model is told.
    func time(told timestep: Double) -> Double {
        let time = timestep / (flow.timestepScale ?? 1000)
        return flow.direction == .toData ? time : 1 - time
    }

    func output(_ x: Double, told timestep: Double) -> Double {
        let velocity = Mixture(flow.path, at: time(told: timestep)).velocity * x
        return flow.direction == .toData ? velocity : -velocity
    }

    func begin(calls: [ModelCall], guidance: Guidance, shape: [Int]) {}

    func evaluate(
        _ branches: GuidanceBranches, at call: ModelCall, latents: Tensor, into outputs: BranchOutputs
    ) {
        // The output is linear in x: one product per element keeps large runs quick.
        let factor = output(1, told: call.timestep)
        let (x, y) = (latents.values, outputs.conditional.prediction.values)
        for i in 0..<x.count { y[i] = Float(factor * Double(x[i])) }
    }

    /// The samples of a run from `initial` unit noise.
    func sample(_ options: SamplerOptions, steps: Int, from initial: [Float], seed: UInt32 = 5) throws -> [Float] {
        var run = try SamplingRun(
            denoiser: self,
            sampler: makeSampler(options, process: process(), steps: steps, shape: [initial.count]),
            guidance: Guidance(scale: 1), initialNoise: Tensor(initial, shape: [initial.count]),
            noise: TorchRandom(seed: seed))
        while try run.next() != nil {}
        return Array(run.latents.values)
    }

    /// SiT: told t itself, looking towards the data.
    static func published(_ path: Flow.Path) -> GaussianFlow {
        GaussianFlow(Flow(path: path, direction: .toData, timestepScale: 1))
    }
}
