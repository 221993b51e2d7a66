import Models
import Pipeline
import Sampling

/// A strategy that works inside the network: a fresh interceptor for every image.
final class BlockCacheRun: PreparedStrategy {
    let settings: SampleSettings

    private let price: EvaluationPrice
    private let network: any DenoisingNetwork
    private let makeCache: (NetworkDenoiser) -> any SiteInterceptor
    private var meter: WorkMeter?

    /// - Parameters:
    ///   - context: Where the strategy was prepared.
    ///   - makeCache: Makes the interceptor of one image; it must not keep the denoiser alive, which keeps it.
    init(in context: StrategyContext, makeCache: @escaping (NetworkDenoiser) -> any SiteInterceptor) {
        settings = context.settings
        price = context.price
        network = context.network
        self.makeCache = makeCache
    }

    func wrap(_ base: NetworkDenoiser) -> any Denoiser {
        let meter = WorkMeter(makeCache(base), price: price, network: network)
        self.meter = meter
        base.interceptor = meter
        return base
    }

    var evaluationsSpent: Double { price.evaluations(meter?.work ?? 0) }
}
