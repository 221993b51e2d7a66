/// The exponentials of softmax, left unnormalised.
package enum Softmax {
    /// Replaces `count` scores by exp(score - largest) and returns the sum of the results.
    ///
    /// Dividing is left to the caller: attention divides its (K)-wide result instead of the (T)-wide weights. What
    /// follows the scores, up to a whole vector, is overwritten.
    // Not inlined, as below: in a large function the exponential would become a call.
    @inline(never)
    package static func exponentiate(_ scores: UnsafeMutablePointer<Float>, count: Int) -> Float {
        exponentiate(scores, count: count, scale: 1) { weights, index in weights.store(to: scores + index) }
    }

    /// Writes exp(scale (score - largest)) of `count` scores, rounded to 16 bits, and returns the sum of what was rounded.
    /// What follows the scores, up to a whole vector, is overwritten; what follows the results is not.
    @inline(never)
    static func exponentiate(
        _ scores: UnsafeMutablePointer<Float>, count: Int, scale: Float, roundedInto target: UnsafeMutableRawPointer
    ) -> Float {
        exponentiate(scores, count: count, scale: scale) { weights, index in
            let rest = count - index
            if rest >= Vector.scalarCount { return BFloat16.narrow(weights, into: target + 2 * index) }
            withUnsafeBytes(of: weights) { bytes in
                guard let source = bytes.assumingMemoryBound(to: Float.self).baseAddress else { return }
                BFloat16.narrow(source, into: target + 2 * index, count: rest)
            }
        }
    }

    /// Calls `store` with exp(scale (score - largest)) of `count` scores, vector by vector, and with where each begins;
    /// returns their sum. What follows the scores, up to a whole vector, is overwritten.
    @inline(__always)
    private static func exponentiate(
        _ scores: UnsafeMutablePointer<Float>, count: Int, scale: Float,
        store: (_ weights: Vector, _ index: Int) -> Void
    ) -> Float {
        let whole = Vector.whole(count)
        // The exponentials of these are lost in a sum of at least 1.
        for index in count..<whole { scores[index] = -.infinity }

        let width = Vector.scalarCount
        var lanes = Vector(repeating: -.infinity)
        var index = 0
        while index < whole {
            lanes = lanes.larger(Vector(at: scores + index))
            index += width
        }
        let largest = lanes.largest

        var sums = Vector.zero
        index = 0
        while index < whole {
            let weights = exponential((Vector(at: scores + index) - largest) * scale)
            store(weights, index)
            sums += weights
            index += width
        }
        return sums.total
    }
}
