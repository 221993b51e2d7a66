/// A place in the network whose work can be watched or replaced.
public enum BlockSite: Hashable, Sendable {
    /// The attention output of a block, before its gate: (T, D).
    case attention(block: Int)
    /// The MLP output of a block, before its gate: (T, D).
    case mlp(block: Int)
    /// The whole stack of blocks: from the embedded tokens (T, D) to the tokens that the final layer reads (T, D).
    case stack
}

/// Watches the sites of a forward, or supplies their outputs instead of the network's work.
///
/// Block-level caches and the recording of trajectories hang in here. A forward without an interceptor pays nothing.
public protocol BlockInterceptor: AnyObject {
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
