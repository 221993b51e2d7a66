import Compute

/// The elementwise updates of samplers and caches: coefficients come in Double, one pass in Float.
///
/// `x` is the state, `y` the model output; every loop runs over buffers of one length and vectorises.
package enum StepKernels {
    /// x ← a x + b y
    static func combine(_ x: Tensor, _ sum: StateAndOutput, _ y: Tensor) {
        precondition(x.count == y.count, "\(y.shape) does not match \(x.shape)")
        let (a, b) = (Float(sum.state), Float(sum.output))
        let (x, y) = (x.values, y.values)
        for i in 0..<x.count { x[i] = a * x[i] + b * y[i] }
    }

    /// out ← a x + b y; `out` may be one of the two.
    package static func combine(_ x: Tensor, _ sum: StateAndOutput, _ y: Tensor, into out: Tensor) {
        precondition(x.count == y.count && x.count == out.count, "\(y.shape) does not match \(x.shape)")
        let (a, b) = (Float(sum.state), Float(sum.output))
        let (x, y, out) = (x.values, y.values, out.values)
        for i in 0..<x.count { out[i] = a * x[i] + b * y[i] }
    }

    /// x ← c clip(x0) + (a x + b y), where x0 is another such sum, clipped to ± `limit`.
    static func combineClipped(
        _ x: Tensor, clean: StateAndOutput, weight: Double, limit: Double, rest: StateAndOutput, _ y: Tensor
    ) {
        precondition(x.count == y.count, "\(y.shape) does not match \(x.shape)")
        let (p, q, c) = (Float(clean.state), Float(clean.output), Float(weight))
        let (a, b, limit) = (Float(rest.state), Float(rest.output), Float(limit))
        let (x, y) = (x.values, y.values)
        for i in 0..<x.count {
            let estimate = min(max(p * x[i] + q * y[i], -limit), limit)
            x[i] = c * estimate + (a * x[i] + b * y[i])
        }
    }

    /// x ← min(max(x, −limit), limit)
    static func clip(_ x: Tensor, to limit: Double) {
        let limit = Float(limit)
        let x = x.values
        for i in 0..<x.count { x[i] = min(max(x[i], -limit), limit) }
    }

    /// x ← x + c y
    static func add(_ y: Tensor, times factor: Double, to x: Tensor) {
        precondition(x.count == y.count, "\(y.shape) does not match \(x.shape)")
        let c = Float(factor)
        let (x, y) = (x.values, y.values)
        for i in 0..<x.count { x[i] += c * y[i] }
    }
}
