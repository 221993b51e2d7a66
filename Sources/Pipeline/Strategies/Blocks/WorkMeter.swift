import Models

/// Counts the work that an interceptor leaves to the network.
final class WorkMeter: BlockInterceptor {
    /// The multiply-adds so far.
    private(set) var work = 0

    private let cache: any BlockInterceptor
    private let price: EvaluationPrice

    init(_ cache: any BlockInterceptor, price: EvaluationPrice) {
        self.cache = cache
        self.price = price
    }

    func approach(
        _ site: BlockSite, call: Int, entries: BatchSubset, input: (_ entry: Int) -> UnsafeBufferPointer<Float>
    ) {
        if site == .stack { work += price.embedding + entries.count * price.finalLayer }
        cache.approach(site, call: call, entries: entries, input: input)
    }

    func replaces(
        _ site: BlockSite, call: Int, entry: Int, input: UnsafeBufferPointer<Float>,
        output: UnsafeMutableBufferPointer<Float>
    ) -> Bool {
        guard !cache.replaces(site, call: call, entry: entry, input: input, output: output) else { return true }
        switch site {
        case .attention: work += price.attention
        case .mlp: work += price.mlp
        case .stack, .rest: break
        }
        return false
    }

    func observe(
        _ site: BlockSite, call: Int, entry: Int, input: UnsafeBufferPointer<Float>,
        output: UnsafeBufferPointer<Float>
    ) {
        cache.observe(site, call: call, entry: entry, input: input, output: output)
    }
}
