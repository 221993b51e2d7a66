import Models

/// Keeps what every site put out, per entry.
final class SiteRecorder: SiteInterceptor {
    private(set) var outputs: [Site.ID: [Int: [Float]]] = [:]
    /// The sites in the order in which the first entry passed them.
    private(set) var order: [Site.ID] = []

    func observe(
        _ site: Site.ID, call: Int, entry: Int, input: UnsafeBufferPointer<Float>, output: UnsafeBufferPointer<Float>
    ) {
        if entry == 0 { order.append(site) }
        outputs[site, default: [:]][entry] = Array(output)
    }
}

/// Supplies one site's output for some entries.
final class SiteReplay: SiteInterceptor {
    private let site: Site.ID
    private let values: [Int: [Float]]
    private(set) var replaced = 0
    private(set) var observedItsSite = false

    init(site: Site.ID, values: [Int: [Float]]) {
        self.site = site
        self.values = values
    }

    func replaces(
        _ site: Site.ID, call: Int, entry: Int, input: UnsafeBufferPointer<Float>,
        output: UnsafeMutableBufferPointer<Float>
    ) -> Bool {
        guard site == self.site, let own = values[entry] else { return false }
        _ = output.update(fromContentsOf: own)
        replaced += 1
        return true
    }

    func observe(
        _ site: Site.ID, call: Int, entry: Int, input: UnsafeBufferPointer<Float>, output: UnsafeBufferPointer<Float>
    ) {
        if site == self.site { observedItsSite = true }
    }
}
