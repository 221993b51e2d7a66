import Models

/// Decides before the stack whether a call is full, once for all branches.
protocol CallDecision: AnyObject {
    /// - Parameters:
    ///   - call: The model call; each is asked for once, in order.
    ///   - entries: The batch entries.
    ///   - input: The tokens that enter the stack, before the layer norm, of each entry.
    /// - Returns: Whether the call is full.
    func isFull(
        _ call: Int, entries: BatchSubset, input: (_ entry: Int) -> UnsafeBufferPointer<Float>
    ) -> Bool
}

/// A decision that was made before the run.
final class FixedDecision: CallDecision {
    private let full: [Bool]

    init(_ full: [Bool]) {
        self.full = full
    }

    func isFull(
        _ call: Int, entries: BatchSubset, input: (_ entry: Int) -> UnsafeBufferPointer<Float>
    ) -> Bool { full[call] }
}
