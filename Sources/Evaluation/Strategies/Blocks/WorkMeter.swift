import Models

/// Counts the work that an interceptor leaves to the network.
final class WorkMeter: SiteInterceptor {
    /// The multiply-adds so far.
    private(set) var work = 0

    private let cache: any SiteInterceptor
    private let price: EvaluationPrice
    private let layers: [Site.ID: Int]

    init(_ cache: any SiteInterceptor, price: EvaluationPrice, network: any DenoisingNetwork) {
        self.cache = cache
        self.price = price
        layers = Dictionary(uniqueKeysWithValues: network.layers.map { ($0.id, $0.multiplyAdds) })
    }

    func approach(
        _ site: Site.ID, call: Int, entries: BatchSubset, input: (_ entry: Int) -> UnsafeBufferPointer<Float>
    ) {
        if site == .stack { work += price.shared + entries.count * price.perBranch }
        cache.approach(site, call: call, entries: entries, input: input)
    }

    func replaces(
        _ site: Site.ID, call: Int, entry: Int, input: UnsafeBufferPointer<Float>,
        output: UnsafeMutableBufferPointer<Float>
    ) -> Bool {
        guard !cache.replaces(site, call: call, entry: entry, input: input, output: output) else { return true }
        work += layers[site] ?? 0
        return false
    }

    func observe(
        _ site: Site.ID, call: Int, entry: Int, input: UnsafeBufferPointer<Float>,
        output: UnsafeBufferPointer<Float>
    ) {
        cache.observe(site, call: call, entry: entry, input: input, output: output)
    }
}
