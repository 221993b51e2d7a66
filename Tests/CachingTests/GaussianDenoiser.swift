import Compute
import Sampling

/// The perfect denoiser of independent Gaussian data with mean 0: every output has a closed form.
///
/// Latent i has variance `variances[i % variances.count]`; to the unconditional branch, nine times that.
final class GaussianDenoiser: Denoiser {
    let variances: [Double]
    let type: PredictionType
    let hasVariance = false
    private var shape: [Int] = []

    init(variances: [Double], type: PredictionType) {
        self.variances = variances
        self.type = type
    }

    func begin(calls: [ModelCall], guidance: Guidance, shape: [Int]) throws {
        self.shape = shape
    }

    func evaluate(
        _ branches: GuidanceBranches, at call: ModelCall, latents: Tensor, into outputs: BranchOutputs
    ) throws {
        for (branch, output) in [
            (GuidanceBranches.conditional, outputs.conditional), (.unconditional, outputs.unconditional),
        ] where branches.contains(branch) {
            for i in 0..<latents.count {
                output.prediction.values[i] = Float(
                    prediction(Double(latents.values[i]), variance(of: i, branch), call.level))
            }
        }
    }

    func variance(of index: Int, _ branch: GuidanceBranches) -> Double {
        variances[index % variances.count] * (branch == .conditional ? 1 : 9)
    }

    /// dz/ds at a state z with path position s: s z / (v + s²) where z = x/α, and ε − x0 for a flow.
    func direction(_ z: Double, _ variance: Double, _ level: NoiseLevel) -> Double {
        let total = level.alpha * level.alpha * variance + level.sigma * level.sigma
        let x = z / level.pathScale
        return type == .flow
            ? (level.sigma - level.alpha * variance) / total * x
            : level.pathPosition * z / (variance + level.pathPosition * level.pathPosition)
    }

    private func prediction(_ x: Double, _ variance: Double, _ level: NoiseLevel) -> Double {
        let (a, s) = (level.alpha, level.sigma)
        let total = a * a * variance + s * s
        let (clean, epsilon) = (a * variance / total * x, s / total * x)
        return switch type {
        case .epsilon: epsilon
        case .sample: clean
        case .vPrediction: a * epsilon - s * clean
        case .flow: epsilon - clean
        }
    }
}

/// Starts runs on Gaussian data.
struct GaussianRun {
    var type = PredictionType.epsilon
    var options = SamplerOptions()
    var steps = 12
    var scale = 1.0
    var guidedChannels: Int?
    var variances = [0.01, 0.3, 1, 4]
    var shape = [2, 4, 6]
    var seed: UInt32 = 1

    func denoiser() -> GaussianDenoiser { GaussianDenoiser(variances: variances, type: type) }

    func start(_ denoiser: (any Denoiser)? = nil) throws -> SamplingRun {
        let process =
            try
            (type == .flow
            ? DiffusionProcess(Flow(shift: 1))
            : DiffusionProcess(type, betas: .linear(start: 0.0001, end: 0.02)))
        return try SamplingRun(
            denoiser: denoiser ?? self.denoiser(),
            sampler: makeSampler(options, process: process, steps: steps, shape: shape),
            guidance: Guidance(scale: scale, channels: guidedChannels), shape: shape, noise: TorchRandom(seed: seed))
    }
}
