/// Loops that widen stored numbers to 32 bits, exactly, and that find those that are not finite.
///
/// They are written in integer arithmetic without branches, which the compiler turns into vector code for every
/// processor; the conversion instructions that `Float(Float16)` needs are not in the baseline x86-64 set.
extension WeightMatrix.Element {
    /// Widens `count` numbers at `source`, which needs no alignment.
    package func widen(_ source: UnsafeRawPointer, into destination: UnsafeMutablePointer<Float>, count: Int) {
        switch self {
        case .float32:
            UnsafeMutableRawPointer(destination).copyMemory(from: source, byteCount: 4 * count)
        case .float16:
            for i in 0..<count { destination[i] = Float(bitPattern: Self.widenedFloat16(Self.half(source, i))) }
        case .bfloat16:
            // The upper halves of `Float`s.
            for i in 0..<count { destination[i] = Float(bitPattern: UInt32(Self.half(source, i)) << 16) }
        }
    }

    /// Whether none of `count` numbers at `source` is NaN or infinite; those of 16 bits need no alignment.
    package func areFinite(_ source: UnsafeRawPointer, count: Int) -> Bool {
        switch self {
        case .float32:
            var carry: UInt32 = 0
            for number in UnsafeBufferPointer(start: source.assumingMemoryBound(to: Float.self), count: count) {
                // An exponent of all ones, and only that, carries into the sign bit.
                carry |= (number.bitPattern & 0x7FFF_FFFF) &+ 0x0080_0000
            }
            return carry & 0x8000_0000 == 0
        case .float16: return Self.areFinite(source, count: count, lowestExponentBit: 0x0400)
        case .bfloat16: return Self.areFinite(source, count: count, lowestExponentBit: 0x0080)
        }
    }

    @inline(__always)
    private static func areFinite(_ source: UnsafeRawPointer, count: Int, lowestExponentBit: UInt16) -> Bool {
        var carry: UInt16 = 0
        for i in 0..<count { carry |= (half(source, i) & 0x7FFF) &+ lowestExponentBit }
        return carry & 0x8000 == 0
    }

    @inline(__always)
    private static func half(_ source: UnsafeRawPointer, _ index: Int) -> UInt16 {
        UInt16(littleEndian: source.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self))
    }

    /// The bits of the `Float` that equals the binary16 number with bits `half`; NaNs keep sign and payload.
    @inline(__always)
    private static func widenedFloat16(_ half: UInt16) -> UInt32 {
        let sign = UInt32(half & 0x8000) << 16
        let magnitude = UInt32(half & 0x7FFF) << 13
        let exponent = magnitude & 0x0F80_0000
        // Normal numbers: move the exponent from bias 15 to bias 127. Infinities and NaNs: on to 255.
        let rebiased = magnitude &+ (exponent == 0x0F80_0000 ? 224 << 23 : 112 << 23)
        // Subnormal numbers m * 2^-24: put m behind the leading one of 2^-14, then take 2^-14 away.
        let subnormal = (Float(bitPattern: magnitude &+ 113 << 23) - 0x1p-14).bitPattern
        return sign | (exponent == 0 ? subnormal : rebiased)
    }
}
