import Compute
import Models

/// Adds the last full call's residual of the whole stack, output minus input, in the place of the stack.
final class StackResidualCache: SiteInterceptor {
    /// Whether a call is full, decided before the stack, once for all branches; each call is asked for once, in order.
    /// The input is the tokens that enter the stack, before the layer norm, of each batch entry.
    typealias Decision = (
        _ call: Int, _ entries: BatchSubset, _ input: (_ entry: Int) -> UnsafeBufferPointer<Float>
    ) -> Bool

    private let decision: Decision
    private let residuals: [Tensor]  // per entry, (T, D)
    private var isFull = true

    init(stack: Site, decision: @escaping Decision) {
        self.decision = decision
        residuals = (0..<2).map { _ in Tensor(stack.shape) }
    }

    func approach(
        _ site: Site.ID, call: Int, entries: BatchSubset, input: (_ entry: Int) -> UnsafeBufferPointer<Float>
    ) {
        guard site == .stack else { return }
        isFull = decision(call, entries, input)
    }

    func replaces(
        _ site: Site.ID, call: Int, entry: Int, input: UnsafeBufferPointer<Float>,
        output: UnsafeMutableBufferPointer<Float>
    ) -> Bool {
        guard site == .stack, !isFull else { return false }
        let residual = residuals[entry].values
        for i in 0..<output.count { output[i] = input[i] + residual[i] }
        return true
    }

    func observe(
        _ site: Site.ID, call: Int, entry: Int, input: UnsafeBufferPointer<Float>,
        output: UnsafeBufferPointer<Float>
    ) {
        guard site == .stack else { return }
        let residual = residuals[entry].values
        for i in 0..<residual.count { residual[i] = output[i] - input[i] }
    }
}
