import Compute
import Glibc

/// DPM-Solver++(2M): second order from the last two estimates of x0 (Lu et al., arXiv 2211.01095, algorithm 2).
///
/// In λ = ln(α/σ), with h the step taken and h' the one before, the step to (α', σ') is
///
///     x ← (σ'/σ) x + (α' − σ' α/σ) (m + (h/h')/2 (m − m')),
///
/// m the current estimate of x0 and m' the last one. This is the midpoint form, with α' (1 − e^−h) written without its
/// logarithms, so that it holds at both ends: from pure noise (a flow at σ = 1, h infinite) the step is first order in
/// the limit and the next one drops m'; a step to no noise is first order by rule, as is the first.
///
/// A flow is sampled at the levels of every other sampler; diffusers' `DPMSolverMultistepScheduler` starts one training
/// timestep lower, to stay clear of that infinity, and rounds the model's timesteps down to whole numbers.
struct DPMSolverSampler: Sampler {
    let calls: [ModelCall]
    private let predictionType: PredictionType
    private let clip: Double?
    private let endsLow: Bool
    private let clean: Tensor
    private let previousClean: Tensor

    init(_ options: SamplerOptions, predictionType: PredictionType, grid: SamplingGrid, shape: [Int]) {
        self.calls = grid.oneCallPerStep
        self.predictionType = predictionType
        self.clip = options.clip
        self.endsLow = grid.end.sigma == 0 || (options.lowerOrderFinal && grid.steps < 15)
        self.clean = Tensor(shape)
        self.previousClean = Tensor(shape)
    }

    mutating func advance(
        past call: Int, latents: Tensor, output: Tensor, varianceOutput: Tensor?, noise: inout some NormalSource
    ) {
        let (level, next) = (calls[call].level, calls[call].levelAfter)
        StepKernels.combine(latents, predictionType.clean(at: level), output, into: clean)
        if let clip { StepKernels.clip(clean, to: clip) }

        let ratio = stepRatio(at: call)
        let state = Float(next.sigma / level.sigma)
        let gain = next.alpha - next.sigma * level.alpha / level.sigma
        let (now, before) = (Float(gain * (1 + ratio / 2)), Float(-gain * ratio / 2))
        let (x, m, last) = (latents.values, clean.values, previousClean.values)
        for i in 0..<x.count {
            x[i] = state * x[i] + (now * m[i] + before * last[i])
            last[i] = m[i]
        }
    }

    /// h/h', the length of this step over that of the last one; 0 makes the step first order.
    private func stepRatio(at call: Int) -> Double {
        guard call > 0, !(endsLow && call + 1 == calls.count) else { return 0 }
        let lambda = Self.lambda(calls[call].level)
        let taken = Self.lambda(calls[call].levelAfter) - lambda
        return taken / (lambda - Self.lambda(calls[call - 1].level))
    }

    /// ln(α/σ), half the logarithm of the signal-to-noise ratio.
    private static func lambda(_ level: NoiseLevel) -> Double { log(level.alpha) - log(level.sigma) }
}
