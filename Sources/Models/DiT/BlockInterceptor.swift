/// A place in the network whose work can be watched or replaced.
public enum BlockSite: Hashable, Sendable {
    /// The attention output of a block, before its gate: (T, D).
    case attention(block: Int)
    /// The MLP output of a block, before its gate: (T, D).
    case mlp(block: Int)
    /// The whole stack of blocks: from the embedded tokens (T, D) to the tokens that the final layer reads (T, D).
    case stack
    /// The blocks from `block` on, which is not the first: from the tokens that it reads (T, D) to those that the final
    /// layer reads (T, D). It can be replaced in place, input and output being the same memory, but is not observed: its
    /// output is the stack's.
    case rest(from: Int)
}

/// Watches the sites of a forward, or supplies their outputs instead of the network's work.
///
/// Block-level caches and the recording of trajectories hang in here. A forward without an interceptor pays nothing.
public protocol BlockInterceptor: AnyObject {
    /// Told once before the work at `site`, where a decision depends on all entries.
    ///
    /// - Parameters:
    ///   - site: the place in the network.
    ///   - call: the model call of the run.
    ///   - entries: the batch entries for which the work is due.
    ///   - input: the token stream of an entry that enters the site, (T, D), before the layer norm.
    func approach(
        _ site: BlockSite, call: Int, entries: BatchSubset, input: (_ entry: Int) -> UnsafeBufferPointer<Float>)

    /// Asked before the work at `site` for one batch entry.
    ///
    /// - Parameters:
    ///   - site: the place in the network.
    ///   - call: the model call of the run.
    ///   - entry: the batch entry.
    ///   - input: the token stream that enters the site, (T, D), before the layer norm.
    ///   - output: where the site's output goes, (T, D); to be left as it is unless the answer is true.
    /// - Returns: true if `output` has been filled and the work must be left out.
    func replaces(
        _ site: BlockSite, call: Int, entry: Int, input: UnsafeBufferPointer<Float>,
        output: UnsafeMutableBufferPointer<Float>
    ) -> Bool

    /// Told of a site's output after the network has computed it; not called for replaced work.
    func observe(
        _ site: BlockSite, call: Int, entry: Int, input: UnsafeBufferPointer<Float>, output: UnsafeBufferPointer<Float>)
}

extension BlockInterceptor {
    /// Decides nothing.
    public func approach(
        _ site: BlockSite, call: Int, entries: BatchSubset, input: (_ entry: Int) -> UnsafeBufferPointer<Float>
    ) {}

    /// Replaces nothing.
    public func replaces(
        _ site: BlockSite, call: Int, entry: Int, input: UnsafeBufferPointer<Float>,
        output: UnsafeMutableBufferPointer<Float>
    ) -> Bool { false }

    /// Ignores what it is shown.
    public func observe(
        _ site: BlockSite, call: Int, entry: Int, input: UnsafeBufferPointer<Float>, output: UnsafeBufferPointer<Float>
    ) {}
}
