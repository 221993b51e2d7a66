import Caching
import Compute

/// A feature of one layer and branch at its last evaluation, with its finite differences.
final class FeatureDifferences {
    private let differences: [Tensor]  // by order
    private let fresh: Tensor
    private var known = 0
    private var call = 0

    init(order: Int, shape: [Int]) {
        differences = (0...order).map { _ in Tensor(shape) }
        fresh = Tensor(shape)
    }

    /// Takes the feature's value at `call`.
    func keep(_ value: UnsafeBufferPointer<Float>, at call: Int) {
        let nextKnown = min(known + 1, differences.count)
        let inverse = 1 / Float(max(1, call - self.call))
        _ = fresh.values.update(fromContentsOf: value)
        let newer = fresh.values
        for difference in differences.prefix(nextKnown) {
            let kept = difference.values
            for i in 0..<kept.count {
                let older = kept[i]
                kept[i] = newer[i]
                newer[i] = (newer[i] - older) * inverse
            }
        }
        (known, self.call) = (nextKnown, call)
    }

    /// Writes the forecast for `call`.
    func write(at call: Int, basis: FeatureBasis, to output: UnsafeMutableBufferPointer<Float>) {
        let weights = basis.weights(ahead: Double(call - self.call), order: known - 1)
        output.update(repeating: 0)
        for (weight, difference) in zip(weights, differences) {
            let (weight, values) = (Float(weight), difference.values)
            for i in 0..<output.count { output[i] += weight * values[i] }
        }
    }
}
