/// The exponentials of softmax, left unnormalised.
package enum Softmax {
    /// How far apart rows of `count` scores lie: a whole number of vectors.
    package static func stride(_ count: Int) -> Int {
        (count + Vector.scalarCount - 1) / Vector.scalarCount * Vector.scalarCount
    }

    /// Replaces `count` scores by exp(score - largest) and returns the sum of the results.
    ///
    /// Dividing is left to the caller: attention divides its (K)-wide result instead of the (T)-wide weights. What
    /// follows the scores, up to ``stride(_:)``, is overwritten.
    package static func exponentiate(_ scores: UnsafeMutablePointer<Float>, count: Int) -> Float {
        let whole = stride(count)
        // The exponentials of these are lost in a sum of at least 1.
        for index in count..<whole { scores[index] = -.infinity }

        var lanes = Vector(repeating: -.infinity)
        for index in Swift.stride(from: 0, to: whole, by: Vector.scalarCount) {
            lanes = lanes.larger(Vector(at: scores + index))
        }
        let largest = lanes.max()

        var sums = Vector.zero
        for index in Swift.stride(from: 0, to: whole, by: Vector.scalarCount) {
            let weights = exponential(Vector(at: scores + index) - largest)
            weights.store(to: scores + index)
            sums += weights
        }
        return sums.total
    }
}
