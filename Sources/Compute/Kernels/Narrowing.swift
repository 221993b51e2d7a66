/// Numbers of 16 bits with the exponents of `Float`: its upper half.
enum BFloat16 {
    /// Rounds a vector to the nearest, ties to even, and stores it; NaNs stay NaNs.
    @inline(__always)
    static func narrow(_ numbers: Vector, into target: UnsafeMutableRawPointer) {
        let bits = unsafeBitCast(numbers, to: SIMD16<UInt32>.self)
        let rounded = (bits &+ 0x7FFF &+ (bits &>> 16 & 1))
            .replacing(with: bits | 0x40_0000, where: numbers .!= numbers)
        let target = target.assumingMemoryBound(to: UInt16.self)
        // The compiler makes one instruction of this loop; conversions of whole vectors it leaves as calls.
        withUnsafeBytes(of: rounded) { bytes in
            let halves = bytes.assumingMemoryBound(to: UInt16.self)
            for lane in 0..<Vector.scalarCount { target[lane] = halves[2 * lane + 1] }
        }
    }

    /// Rounds `count` numbers times `factor`.
    @inline(__always)
    static func narrow(
        _ source: UnsafePointer<Float>, times factor: Float = 1, into target: UnsafeMutableRawPointer, count: Int
    ) {
        let width = Vector.scalarCount
        var index = 0
        while index + width <= count {
            narrow(Vector(at: source + index) * factor, into: target + 2 * index)
            index += width
        }
        guard index < count else { return }
        var rest = Vector.zero
        for lane in 0..<count - index { rest[lane] = source[index + lane] * factor }
        withUnsafeTemporaryAllocation(of: UInt16.self, capacity: width) { halves in
            guard let start = halves.baseAddress else { return }
            narrow(rest, into: start)
            (target + 2 * index).copyMemory(from: start, byteCount: 2 * (count - index))
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
        let width = Vector.scalarCount
        let whole = count - count % width
        // Of magnitudes as integers the largest is the largest number, and NaNs are larger than all of them.
        var magnitudes = SIMD16<UInt32>.zero
        var index = 0
        while index < whole {
            let bits = unsafeBitCast(Vector(at: source + index), to: SIMD16<UInt32>.self) & 0x7FFF_FFFF
            magnitudes.replace(with: bits, where: magnitudes .< bits)
            index += width
        }
        var bits = magnitudes.max()
        for index in whole..<count { bits = max(bits, source[index].bitPattern & 0x7FFF_FFFF) }
        let largest = Float(bitPattern: bits)
        let target = target.assumingMemoryBound(to: Int8.self)
        guard largest > 0, largest.isFinite else {
            target.update(repeating: 0, count: count)
            return largest
        }
        let factor = limit / largest
        // Adding 1.5 x 2^23 rounds to the nearest integer and leaves it in the low bits of the sum.
        let magic: Float = 12_582_912
        index = 0
        while index < whole {
            // One instruction, as in BFloat16.
            withUnsafeBytes(of: Vector(at: source + index) * factor + magic) { bytes in
                for lane in 0..<width { target[index + lane] = Int8(bitPattern: bytes[4 * lane]) }
            }
            index += width
        }
        for index in whole..<count {
            target[index] = Int8(truncatingIfNeeded: (source[index] * factor + magic).bitPattern)
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
