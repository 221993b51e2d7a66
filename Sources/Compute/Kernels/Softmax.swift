/// The exponentials of softmax, left unnormalised.
package enum Softmax {
    /// Replaces `count` scores by exp(score - largest) and returns the sum of the results.
    ///
    /// Dividing is left to the caller: attention divides its (K)-wide result instead of the (T)-wide weights. What
    /// follows the scores, up to a whole vector, is overwritten.
    // Neither this nor what is below is inlined: in a large function the compiler leaves the exponential as a call.
    @inline(never)
    package static func exponentiate(_ scores: UnsafeMutablePointer<Float>, count: Int) -> Float {
        let largest = largest(scores, count: count)
        var sums = Vector.zero
        var index = 0
        while index < count {
            let weights = exponential(Vector(at: scores + index) - largest)
            weights.store(to: scores + index)
            sums += weights
            index += Vector.scalarCount
        }
        return sums.total
    }

    /// Writes exp(scale (score - largest)) of `count` scores, rounded to 16 bits, and returns the sum of what was rounded.
    /// What follows the scores, up to a whole vector, is overwritten; what follows the results is not.
    @inline(never)
    static func exponentiate(
        _ scores: UnsafeMutablePointer<Float>, count: Int, scale: Float, roundedInto target: UnsafeMutableRawPointer
    ) -> Float {
        let largest = largest(scores, count: count)
        let factor = scale * 1.442_695_04
        var sums = Vector.zero
        var index = 0
        while index < count {
            let weights = powerOfTwo((Vector(at: scores + index) - largest) * factor)
            let rest = count - index
            if rest >= Vector.scalarCount {
                BFloat16.narrow(weights, into: target + 2 * index)
            } else {
                withUnsafeBytes(of: weights) { bytes in
                    guard let source = bytes.assumingMemoryBound(to: Float.self).baseAddress else { return }
                    BFloat16.narrow(source, into: target + 2 * index, count: rest)
                }
            }
            sums += weights
            index += Vector.scalarCount
        }
        return sums.total
    }

    /// The largest of `count` scores; what follows them, up to a whole vector, becomes minus infinity, of which the
    /// exponential is lost in a sum of at least 1.
    @inline(never)
    private static func largest(_ scores: UnsafeMutablePointer<Float>, count: Int) -> Float {
        for index in count..<Vector.whole(count) { scores[index] = -.infinity }
        var lanes = Vector(repeating: -.infinity)
        var index = 0
        while index < count {
            lanes = lanes.larger(Vector(at: scores + index))
            index += Vector.scalarCount
        }
        return lanes.largest
    }

    /// 2^x of each lane, x <= 0, within 8e-5 of itself: less than a twentieth of what rounding to 16 bits does to it.
    ///
    /// x = n + f with |f| <= 1/2; 2^f by the polynomial of degree 3 whose largest relative error is least, then scaled by 2^n
    /// through the exponent bits. Arguments are clamped to at least -126; NaNs stay NaNs.
    @inline(__always)
    private static func powerOfTwo(_ argument: Vector) -> Vector {
        let x = argument.larger(Vector(repeating: -126))
        // Adding 1.5 x 2^23 rounds to the nearest integer and leaves it in the low bits of the sum.
        let magic = Vector(repeating: 12_582_912)
        let shifted = x + magic
        let f = x - (shifted - magic)
        let power = ((f * 0.055_171_67 + 0.242_611_14) * f + 0.693_260_97) * f + 0.999_928_06
        let exponent = unsafeBitCast(shifted, to: SIMD16<Int32>.self) &+ SIMD16<Int32>(repeating: 127)
        return power * unsafeBitCast(exponent &<< SIMD16<Int32>(repeating: 23), to: Vector.self)
    }
}
