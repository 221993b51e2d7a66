/// Watches the sites of a forward, or supplies their outputs instead of the network's work.
///
/// Block-level caches and the recording of trajectories hang in here. A forward without an interceptor pays nothing.
public protocol SiteInterceptor: AnyObject {
    /// Told once before the work at `site`, where a decision depends on all entries.
    ///
    /// - Parameters:
    ///   - site: the place in the network.
    ///   - call: the model call of the run.
    ///   - entries: the batch entries for which the work is due.
    ///   - input: the hidden states of an entry that enter the site, (T, D), before any norm.
    func approach(
        _ site: Site.ID, call: Int, entries: BatchSubset, input: (_ entry: Int) -> UnsafeBufferPointer<Float>)

    /// Asked before the work at `site` for one batch entry.
    ///
    /// - Parameters:
    ///   - site: the place in the network.
    ///   - call: the model call of the run.
    ///   - entry: the batch entry.
    ///   - input: the hidden states that enter the site, (T, D), before any norm.
    ///   - output: where the site's output goes, (T, D); to be left as it is unless the answer is true.
    /// - Returns: true if `output` has been filled and the work must be left out.
    func replaces(
        _ site: Site.ID, call: Int, entry: Int, input: UnsafeBufferPointer<Float>,
        output: UnsafeMutableBufferPointer<Float>
    ) -> Bool

    /// Told of a site's output after the network has computed it; not called for replaced work.
    func observe(
        _ site: Site.ID, call: Int, entry: Int, input: UnsafeBufferPointer<Float>, output: UnsafeBufferPointer<Float>)
}

extension SiteInterceptor {
    /// Decides nothing.
    public func approach(
        _ site: Site.ID, call: Int, entries: BatchSubset, input: (_ entry: Int) -> UnsafeBufferPointer<Float>
    ) {}

    /// Replaces nothing.
    public func replaces(
        _ site: Site.ID, call: Int, entry: Int, input: UnsafeBufferPointer<Float>,
        output: UnsafeMutableBufferPointer<Float>
    ) -> Bool { false }

    /// Ignores what it is shown.
    public func observe(
        _ site: Site.ID, call: Int, entry: Int, input: UnsafeBufferPointer<Float>, output: UnsafeBufferPointer<Float>
    ) {}
}
