/// The exponentials of softmax, left unnormalised.
package enum Softmax {
    /// Replaces `count` scores by exp(score - largest) and returns the sum of the results.
    ///
    /// Dividing is left to the caller: attention divides its (K)-wide result instead of the (T)-wide weights.
    @inline(__always)
    package static func exponentiate(_ scores: UnsafeMutablePointer<Float>, count: Int) -> Float {
        let whole = count - count % Vector.scalarCount
        var largest = -Float.infinity
        if whole > 0 {
            var lanes = Vector(at: scores)
            for index in stride(from: Vector.scalarCount, to: whole, by: Vector.scalarCount) {
                lanes = lanes.larger(Vector(at: scores + index))
            }
            largest = lanes.max()
        }
        for index in whole..<count { largest = max(largest, scores[index]) }

        var sums = Vector.zero
        for index in stride(from: 0, to: whole, by: Vector.scalarCount) {
            let weights = exponential(Vector(at: scores + index) - largest)
            weights.store(to: scores + index)
            sums += weights
        }
        var sum = sums.total
        for index in whole..<count {
            let weight = exponential(Vector(repeating: scores[index] - largest))[0]
            scores[index] = weight
            sum += weight
        }
        return sum
    }
}
