import Compute

/// `count` reproducible numbers without structure, spread evenly over (-scale, scale) around `offset`.
public func noise(_ count: Int, seed: UInt64, scale: Float = 1, offset: Float = 0) -> [Float] {
    // Mixed, so that seeds next to each other start far apart.
    ArbitraryNumbers.tensor([count], seed: seed &* 0x9E37_79B9_7F4A_7C15 &+ 1).elements.map { offset + scale * $0 }
}
