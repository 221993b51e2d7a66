import Caching
import Compute
import Sampling

/// Times the evaluations and the forecasts of one image's run, from which follows what a full run would take.
///
/// It wraps both sides of the cache: inside, it times the model's evaluations; outside, the cache too.
public final class ReuseTimer {
    /// The cache, as the sampler sees it.
    public let denoiser: any Denoiser
    /// The cache itself.
    public let cached: CachedDenoiser

    private let model: TimedDenoiser
    private let cache: TimedDenoiser

    /// Times `base` inside the cache that `wrap` puts around it.
    public init(_ base: any Denoiser, wrap: (any Denoiser) -> CachedDenoiser) {
        model = TimedDenoiser(base)
        cached = wrap(model)
        cache = TimedDenoiser(cached)
        denoiser = cache
    }

    /// The seconds that the run has saved: those of the evaluations that its plan left out, at what its own took, less
    /// those of the forecasts. Negative where forecasts take longer.
    ///
    /// A missing branch costs what a call with both costs more than one with the other.
    public var secondsSaved: Double {
        let plan = cached.plan
        guard let full = model.mean(of: plan.branches) else { return 0 }
        let leftOut = plan.evaluated.reduce(0) { sum, evaluated in
            sum + (evaluated == plan.branches ? 0 : full - (evaluated.isEmpty ? 0 : model.mean(of: evaluated) ?? full))
        }
        return leftOut - (cache.total - model.total)
    }
}

/// A denoiser that adds up what its evaluations take, by the branches that they are of.
private final class TimedDenoiser: Denoiser {
    private let base: any Denoiser
    private var times: [GuidanceBranches: (count: Int, seconds: Double)] = [:]

    init(_ base: any Denoiser) { self.base = base }

    var hasVariance: Bool { base.hasVariance }

    /// The seconds of all evaluations.
    var total: Double { times.values.reduce(0) { $0 + $1.seconds } }

    /// The mean seconds of an evaluation of just these branches; nil where there was none.
    func mean(of branches: GuidanceBranches) -> Double? {
        times[branches].map { $0.seconds / Double($0.count) }
    }

    func begin(calls: [ModelCall], guidance: Guidance, shape: [Int]) throws {
        times = [:]
        try base.begin(calls: calls, guidance: guidance, shape: shape)
    }

    func evaluate(
        _ branches: GuidanceBranches, at call: ModelCall, latents: Tensor, into outputs: BranchOutputs
    ) throws {
        let clock = ContinuousClock()
        let start = clock.now
        try base.evaluate(branches, at: call, latents: latents, into: outputs)
        let seconds = (clock.now - start) / .seconds(1)
        let known = times[branches] ?? (0, 0)
        times[branches] = (known.count + 1, known.seconds + seconds)
    }
}
