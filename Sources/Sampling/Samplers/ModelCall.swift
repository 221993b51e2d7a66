/// One evaluation of the model in a run: known before the run starts.
///
/// Every sampler makes one call per step, but for Heun's two (one in its last step, unless the model looks to the data).
public struct ModelCall: Equatable, Sendable {
    /// The position among all calls of the run, from 0.
    public let index: Int

    /// The step that the call belongs to, from 0 (most noise).
    public let step: Int

    /// What the model is told; a whole number unless the model is a flow. Falls from step to step, and rises for a flow
    /// that looks towards the data.
    public let timestep: Double

    /// The noise in the latents that the model sees.
    public let level: NoiseLevel

    /// The noise that the latents are taken to hold once the sampler has advanced past the call: what the next call says,
    /// or the run's end.
    public let levelAfter: NoiseLevel

    /// The noise that the sampler's step leads to: ``levelAfter``, but for ddim under
    /// ``SamplerOptions/StepRule/diffusers``, whose steps need not end where the next one begins.
    public let target: NoiseLevel

    init(
        index: Int, step: Int, timestep: Double, level: NoiseLevel, levelAfter: NoiseLevel, target: NoiseLevel? = nil
    ) {
        self.index = index
        self.step = step
        self.timestep = timestep
        self.level = level
        self.levelAfter = levelAfter
        self.target = target ?? levelAfter
    }
}

extension SamplingGrid {
    /// The calls of a sampler that evaluates the model once in every step.
    var oneCallPerStep: [ModelCall] {
        points.enumerated().map { step, point in
            ModelCall(
                index: step, step: step, timestep: point.timestep, level: point.level, levelAfter: level(after: step),
                target: targets?[step])
        }
    }
}
