/// Numbers of 16 bits with the exponents of `Float`: its upper half.
enum BFloat16 {
    /// Rounds `count` numbers times `factor` to the nearest, ties to even; NaNs stay NaNs.
    ///
    /// In integer arithmetic without branches, which the compiler turns into vector code for every processor.
    @inline(__always)
    static func narrow(
        _ source: UnsafePointer<Float>, times factor: Float = 1, into target: UnsafeMutableRawPointer, count: Int
    ) {
        let target = target.assumingMemoryBound(to: UInt16.self)
        for i in 0..<count {
            let bits = (source[i] * factor).bitPattern
            let rounded = (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16
            let isNaN = bits & 0x7FFF_FFFF > 0x7F80_0000
            target[i] = UInt16(truncatingIfNeeded: isNaN ? bits >> 16 | 0x40 : rounded)
        }
    }
}

/// Rows of numbers as integers of 8 bits, each with one scale: symmetric, so that zero stays zero.
enum Quantisation {
    /// The largest integer.
    private static let limit: Float = 127

    /// Rounds `count` numbers to multiples of a scale, by which the largest is 127.
    ///
    /// - Returns: the scale; NaN or infinite if one of the numbers is.
    static func quantise(
        _ source: UnsafePointer<Float>, count: Int, into target: UnsafeMutableRawPointer
    ) -> Float {
        var largest: Float = 0
        for i in 0..<count { largest = max(largest, abs(source[i])) }
        let target = target.assumingMemoryBound(to: Int8.self)
        guard largest > 0, largest.isFinite else {
            for i in 0..<count { target[i] = 0 }
            return largest
        }
        let factor = limit / largest
        for i in 0..<count {
            // Adding 1.5 x 2^23 rounds to the nearest integer and leaves it in the low bits of the sum.
            target[i] = Int8(truncatingIfNeeded: (source[i] * factor + 12_582_912).bitPattern)
        }
        return largest / limit
    }

    /// Turns `count` sums of products of integers into numbers, in place, and adds biases.
    @inline(__always)
    static func widen(
        _ values: UnsafeMutablePointer<Float>, count: Int, scale: Float, scales: UnsafePointer<Float>,
        bias: UnsafePointer<Float>
    ) {
        for i in 0..<count {
            values[i] = Float(Int32(bitPattern: values[i].bitPattern)) * (scale * scales[i]) + bias[i]
        }
    }
}
