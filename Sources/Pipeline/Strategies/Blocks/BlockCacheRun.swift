import Models
import Sampling

/// A strategy that works inside the network: a fresh interceptor for every image.
final class BlockCacheRun: PreparedStrategy {
    let settings: SampleSettings

    private let price: EvaluationPrice
    private let makeCache: (DiTDenoiser) -> any BlockInterceptor
    private var meter: WorkMeter?

    /// - Parameters:
    ///   - context: Where the strategy was prepared.
    ///   - makeCache: Makes the interceptor of one image; it must not keep the denoiser alive, which keeps it.
    init(in context: StrategyContext, makeCache: @escaping (DiTDenoiser) -> any BlockInterceptor) {
        settings = context.settings
        price = context.price
        self.makeCache = makeCache
    }

    func wrap(_ base: DiTDenoiser) -> any Denoiser {
        let meter = WorkMeter(makeCache(base), price: price)
        self.meter = meter
        base.interceptor = meter
        return base
    }

    var evaluationsSpent: Double { price.evaluations(meter?.work ?? 0) }
}
