import Caching
import Compute

/// What a ``ProbeCache`` keeps of one branch: seven features (T, D).
final class ProbeState {
    private let probes: [Tensor]  // the probe's output at this call and the one before
    private let residuals: [Tensor]  // the probe's residual: at this call, at the last full one, at the one before that
    private let stacks: [Tensor]  // the stack's residual at the last two full calls
    private var position = 0
    private var fullCalls = 0

    init(shape: [Int]) {
        probes = (0..<2).map { _ in Tensor(shape) }
        residuals = (0..<3).map { _ in Tensor(shape) }
        stacks = (0..<2).map { _ in Tensor(shape) }
    }

    /// The probe's output at this call.
    var output: UnsafeBufferPointer<Float> { UnsafeBufferPointer(probes[position].values) }
    /// The probe's output at the call before.
    var previousOutput: UnsafeBufferPointer<Float> { UnsafeBufferPointer(probes[1 - position].values) }
    /// The probe's residual at this call.
    var residual: UnsafeBufferPointer<Float> { UnsafeBufferPointer(residuals[0].values) }
    /// The probe's residual at the last full call.
    var lastResidual: UnsafeBufferPointer<Float> { UnsafeBufferPointer(residuals[1].values) }

    /// Takes the probe's output at this call.
    func take(_ output: UnsafeBufferPointer<Float>, embedded: Tensor) {
        position = 1 - position
        _ = probes[position].values.update(fromContentsOf: output)
        let (residual, input) = (residuals[0].values, embedded.values)
        for i in 0..<residual.count { residual[i] = output[i] - input[i] }
    }

    /// Takes the stack's output at a full call, whose probe was the last one taken.
    func keep(_ output: UnsafeBufferPointer<Float>, embedded: Tensor) {
        residuals[2].copy(from: residuals[1])
        residuals[1].copy(from: residuals[0])
        stacks[1].copy(from: stacks[0])
        let (stack, input) = (stacks[0].values, embedded.values)
        for i in 0..<stack.count { stack[i] = output[i] - input[i] }
        fullCalls += 1
    }

    /// Adds the last full call's residual of the blocks behind the probe.
    func addRest(to tokens: UnsafeMutableBufferPointer<Float>) {
        let (stack, probe) = (stacks[0].values, residuals[1].values)
        for i in 0..<tokens.count { tokens[i] += stack[i] - probe[i] }
    }

    /// Writes the input of the stack plus R₂ + g (R₁ − R₂), R₁ and R₂ the stack's residuals at the last two full calls and
    /// g, between 1 and 1.5, the probe's distance to the older of them over the distance between the two.
    func writeStack(embedded: Tensor, to tokens: UnsafeMutableBufferPointer<Float>) {
        let older = UnsafeBufferPointer(residuals[2].values)
        let gone = AbsoluteSums(residual, older).difference
        let between = AbsoluteSums(lastResidual, older).difference
        let gain = fullCalls > 1 && between > 0 ? Float(min(max(gone / between, 1), 1.5)) : 1
        let (input, newest, before) = (embedded.values, stacks[0].values, stacks[1].values)
        for i in 0..<tokens.count { tokens[i] = input[i] + before[i] + gain * (newest[i] - before[i]) }
    }
}
