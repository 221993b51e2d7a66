import Compute
import Sampling

/// How a sampler passes errors on at each model call, in path coordinates.
///
/// Measured on the sampler itself, so it holds for every one: a run over one number that is zero but for a small x0, or a
/// small state, at a single call, read when that call's step is over. For DDIM an error in x0 moves the state by
/// |s' − s|/s of it, and an error in the state stays by s'/s.
///
/// A sampler that clips x0 passes errors on in another way where x0 is beyond the limit: see ``Clipping``.
public struct SamplerResponse: Codable, Equatable, Sendable {
    /// Δz after the call's step, per unit of error in the estimate of x0, where x0 is not clipped.
    public let clean: [Double]
    /// Δz after the call's step, per unit of error in z before the call, with x0 as it is.
    public let state: [Double]
    /// What becomes of x0 beyond the limit; nil where the sampler does not clip.
    public let clipping: Clipping?

    /// How a sampler that clips the estimate of x0 steps where x0 is beyond its limit.
    ///
    /// DPM-Solver++ and DDPM use the clipped x0 alone, and errors beyond the limit are lost. DDIM re-mixes it with the
    /// noise ε as the model gave it, which belongs to the x0 that was not clipped: there a larger x0 makes for a
    /// smaller state, ten times as fast as it makes for a larger one within the limit (50 steps).
    public struct Clipping: Codable, Equatable, Sendable {
        /// The largest magnitude of x0 that is left as it is.
        public let limit: Double
        /// Δz after the call's step, per unit of error in the estimate of x0, where x0 is clipped.
        public let beyond: [Double]

        /// Joins the parts; `beyond` has one number per model call.
        public init(limit: Double, beyond: [Double]) {
            self.limit = limit
            self.beyond = beyond
        }
    }

    /// Responses that were measured before.
    public init(clean: [Double], state: [Double], clipping: Clipping? = nil) {
        self.clean = clean
        self.state = state
        self.clipping = clipping
    }

    /// Every series, of one number per model call.
    public var series: [[Double]] { [clean, state] + (clipping.map { [$0.beyond] } ?? []) }

    /// Probes a sampler.
    ///
    /// - Throws: ``SamplingError`` when the options do not fit the process.
    public init(_ options: SamplerOptions, process: DiffusionProcess, steps: Int) throws(SamplingError) {
        let calls = try makeSampler(options, process: process, steps: steps, shape: [1]).calls
        func probe(_ call: ModelCall, clean: Double, state: Double) throws(SamplingError) -> Double {
            var sampler = try makeSampler(options, process: process, steps: steps, shape: [1])
            return Self.probe(&sampler, at: call, type: process.predictionType, clean: clean, state: state)
        }
        // Within what the sampler clips x0 to.
        let size = min(Self.size, options.clip.map { $0 / 2 } ?? Self.size)
        var (clean, state, beyond): ([Double], [Double], [Double]) = ([], [], [])
        for call in calls {
            clean.append(try probe(call, clean: size, state: 0) / size)
            state.append(try probe(call, clean: 0, state: size) / size)
            guard let limit = options.clip else { continue }
            beyond.append(
                (try probe(call, clean: 3 * limit, state: 0) - probe(call, clean: 2 * limit, state: 0)) / limit)
        }
        self.init(
            clean: clean, state: state, clipping: options.clip.map { Clipping(limit: $0, beyond: beyond) })
    }

    /// The size of a probe.
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
