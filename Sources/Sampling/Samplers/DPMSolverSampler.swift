import Compute
import Glibc

/// DPM-Solver++(2M): second order from the last two estimates of x0 (Lu et al., arXiv 2211.01095, algorithm 2).
///
/// In λ = ln(α/σ), with h the step taken and h' the one before, the step to (α', σ') is
///
///     x ← (σ'/σ) x + (α' − σ' α/σ) (m + (h/h')/2 (m − m')),
///
/// m the current estimate of x0 and m' the last one. This is the midpoint form, with α' (1 − e^−h) written without its
/// logarithms, so that it holds at both ends: from no signal (a flow at σ = 1, h infinite) the step is first order in
/// the limit and the next one drops m'; a step to no noise is first order by rule, as is the first.
///
/// A flow is sampled at the levels of every other sampler; diffusers' `DPMSolverMultistepScheduler` starts one training
/// timestep lower, to stay clear of that infinity, and rounds what the model is told down to whole timesteps.
struct DPMSolverSampler: Sampler {
    let calls: [ModelCall]
    private let predictionType: PredictionType
    private let clip: Double?
    private let endsLow: Bool
    private let clean: Tensor
    private let previousClean: Tensor

    init(
        grid: SamplingGrid, predictionType: PredictionType, clip: Double?, lowerOrderFinal: Bool, shape: [Int]
    ) {
        self.calls = grid.oneCallPerStep
        self.predictionType = predictionType
        self.clip = clip
        self.endsLow = grid.end.noise == 0 || (lowerOrderFinal && grid.steps < 15)
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
        let state = Float(next.noise / level.noise)
        let gain = next.signal - next.noise * level.signal / level.noise
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
        let level = Self.logSignalToNoise(calls[call].level)
        let taken = Self.logSignalToNoise(calls[call].levelAfter) - level
        return taken / (level - Self.logSignalToNoise(calls[call - 1].level))
    }

    private static func logSignalToNoise(_ level: NoiseLevel) -> Double { log(level.signal) - log(level.noise) }
}
