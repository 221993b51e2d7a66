/// Loops that widen 16-bit floating-point numbers to 32 bits, exactly.
///
/// They are written in integer arithmetic without branches, which the compiler turns into vector code for every
/// processor; the conversion instructions that `Float(Float16)` needs are not in the baseline x86-64 set.
package enum FloatWidening {
    /// The bits of the `Float` that equals the binary16 number with bits `half`; NaNs keep sign and payload.
    @inline(__always)
    static func float16(_ half: UInt16) -> UInt32 {
        let sign = UInt32(half & 0x8000) << 16
        let magnitude = UInt32(half & 0x7FFF) << 13
        let exponent = magnitude & 0x0F80_0000
        // Normal numbers: move the exponent from bias 15 to bias 127. Infinities and NaNs: on to 255.
        let rebiased = magnitude &+ (exponent == 0x0F80_0000 ? 224 << 23 : 112 << 23)
        // Subnormal numbers m * 2^-24: put m behind the leading one of 2^-14, then take 2^-14 away.
        let subnormal = (Float(bitPattern: magnitude &+ 113 << 23) - 0x1p-14).bitPattern
        return sign | (exponent == 0 ? subnormal : rebiased)
    }

    /// Widens `count` binary16 numbers at `source`, which need not be aligned.
    package static func float16(_ source: UnsafeRawPointer, into destination: UnsafeMutablePointer<Float>, count: Int) {
        for i in 0..<count {
            let half = UInt16(littleEndian: source.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self))
            destination[i] = Float(bitPattern: float16(half))
        }
    }

    /// Widens `count` bfloat16 numbers at `source`, which need not be aligned: the upper halves of `Float`s.
    package static func bfloat16(_ source: UnsafeRawPointer, into destination: UnsafeMutablePointer<Float>, count: Int)
    {
        for i in 0..<count {
            let half = UInt16(littleEndian: source.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self))
            destination[i] = Float(bitPattern: UInt32(half) << 16)
        }
    }

    /// Whether none of the numbers is NaN or infinite.
    package static func areFinite(_ numbers: UnsafeBufferPointer<Float>) -> Bool {
        var carry: UInt32 = 0
        for number in numbers {
            // An exponent of all ones, and only that, carries into the sign bit.
            carry |= (number.bitPattern & 0x7FFF_FFFF) &+ 0x0080_0000
        }
        return carry & 0x8000_0000 == 0
    }

    /// Whether none of `count` binary16 numbers at `source`, which need not be aligned, is NaN or infinite.
    package static func areFiniteFloat16(_ source: UnsafeRawPointer, count: Int) -> Bool {
        areFinite(source, count: count, lowestExponentBit: 0x0400)
    }

    /// Whether none of `count` bfloat16 numbers at `source`, which need not be aligned, is NaN or infinite.
    package static func areFiniteBFloat16(_ source: UnsafeRawPointer, count: Int) -> Bool {
        areFinite(source, count: count, lowestExponentBit: 0x0080)
    }

    @inline(__always)
    private static func areFinite(_ source: UnsafeRawPointer, count: Int, lowestExponentBit: UInt16) -> Bool {
        var carry: UInt16 = 0
        for i in 0..<count {
            let bits = UInt16(littleEndian: source.loadUnaligned(fromByteOffset: 2 * i, as: UInt16.self))
            carry |= (bits & 0x7FFF) &+ lowestExponentBit
        }
        return carry & 0x8000 == 0
    }
}
