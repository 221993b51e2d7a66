import Sampling
import Tensor

/// How a sampler passes errors on at each model call, in path coordinates.
///
/// Measured on the sampler itself, so it holds for every one: a run over one number that is zero but for a small x0, or a
/// small state, at a single call, looked at when that call's step is over. For DDIM an error in x0 moves the state by
/// |s' − s|/s of it, and an error in the state stays by s'/s.
public struct SamplerResponse: Codable, Equatable, Sendable {
    /// Δz after the call's step, per unit of error in the estimate of x0.
    public let clean: [Double]
    /// Δz after the call's step, per unit of error in z before the call, with x0 as it is.
    public let state: [Double]

    /// Responses that were measured before.
    public init(clean: [Double], state: [Double]) {
        self.clean = clean
        self.state = state
    }

    /// Probes a sampler.
    ///
    /// - Throws: ``SamplingError`` when the options do not fit the process.
    public init(_ options: SamplerOptions, process: DiffusionProcess, steps: Int) throws(SamplingError) {
        let calls = try makeSampler(options, process: process, steps: steps, shape: [1]).calls
        var (clean, state): ([Double], [Double]) = ([], [])
        for call in calls {
            var sampler = try makeSampler(options, process: process, steps: steps, shape: [1])
            clean.append(
                Self.probe(&sampler, at: call, type: process.predictionType, clean: Self.size, state: 0) / Self.size)
            sampler = try makeSampler(options, process: process, steps: steps, shape: [1])
            state.append(
                Self.probe(&sampler, at: call, type: process.predictionType, clean: 0, state: Self.size) / Self.size)
        }
        self.init(clean: clean, state: state)
    }

    /// Small enough to stay within what a sampler may clip x0 to.
    private static let size = 1e-3

    /// z after the step of `probed`.
    private static func probe(
        _ sampler: inout any Sampler, at probed: ModelCall, type: PredictionType, clean: Double, state: Double
    ) -> Double {
        let (latents, output, variance) = (Tensor([1]), Tensor([1]), Tensor([1]))
        var noise = NoNoise()
        var last = probed
        for call in sampler.calls.prefix(while: { $0.step <= probed.step }) {
            let isProbed = call.index == probed.index
            if isProbed { latents.values[0] = Float(state / call.level.pathScale) }
            // The output that says x0 = a x + b y.
            let sum = type.clean(at: call.level)
            let wanted = isProbed ? clean : 0
            output.values[0] = Float((wanted - sum.state * Double(latents.values[0])) / sum.output)
            sampler.advance(past: call.index, latents: latents, output: output, varianceOutput: variance, noise: &noise)
            last = call
        }
        return Double(latents.values[0]) * last.levelAfter.pathScale
    }

    /// Adds nothing, so that only the probe moves the state.
    private struct NoNoise: NormalSource {
        mutating func fill(_ values: UnsafeMutableBufferPointer<Float>) { values.update(repeating: 0) }
    }
}
