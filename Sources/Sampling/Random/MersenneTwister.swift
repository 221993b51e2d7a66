/// The 32-bit Mersenne Twister mt19937 (Matsumoto & Nishimura, 1998).
struct MersenneTwister: Sendable {
    private static let size = 624
    private static let middle = 397

    private var state: [UInt32]
    private var position = Self.size

    /// Seeds by Knuth's recurrence, as the reference implementation's `init_genrand`.
    init(seed: UInt32) {
        state = [seed]
        state.reserveCapacity(Self.size)
        for i in 1..<UInt32(Self.size) {
            let last = state[Int(i) - 1]
            state.append(1_812_433_253 &* (last ^ (last >> 30)) &+ i)
        }
    }

    /// The next 32 random bits.
    mutating func next() -> UInt32 {
        if position == Self.size { refill() }
        var word = state[position]
        position += 1
        word ^= word >> 11
        word ^= (word << 7) & 0x9d2c_5680
        word ^= (word << 15) & 0xefc6_0000
        word ^= word >> 18
        return word
    }

    private mutating func refill() {
        for i in 0..<Self.size {
            let following = state[(i + 1) % Self.size]
            let mixed = (state[i] & 0x8000_0000) | (following & 0x7fff_ffff)
            let twist: UInt32 = following & 1 == 0 ? 0 : 0x9908_b0df
            state[i] = state[(i + Self.middle) % Self.size] ^ (mixed >> 1) ^ twist
        }
        position = 0
    }
}
