/// `count` reproducible numbers, spread evenly over (-scale, scale) around `offset`.
///
/// From a 64-bit linear congruential generator (Knuth's MMIX constants): tests need numbers without structure, not
/// good randomness.
public func noise(_ count: Int, seed: UInt64, scale: Float = 1, offset: Float = 0) -> [Float] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return offset + scale * (Float(state >> 40) / 8_388_608 - 1)
    }
}
