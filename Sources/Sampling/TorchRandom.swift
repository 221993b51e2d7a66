import Glibc

/// A source of independent standard normal numbers.
public protocol NormalSource {
    /// Fills `values` with the next numbers.
    mutating func fill(_ values: UnsafeMutableBufferPointer<Float>)
}

/// A generator that follows PyTorch's on the CPU: `torch.Generator().manual_seed(seed)`.
///
/// ``uniform(_:)`` gives the numbers of `torch.rand` exactly. ``fill(_:)`` gives those of `torch.randn` within 1e-6
/// (the logarithm and the sine differ in their last bits). Successive calls go on as torch's do, whatever their
/// sizes. Facts of the layout: ATen's `DistributionTemplates.h` and `TransformationHelper.h`.
public struct TorchRandom: NormalSource, Sendable {
    private var engine: MersenneTwister
    /// The second number of the last pair that a small request made; waits for the next small request.
    private var spare: Double?

    /// Seeds the generator; torch, too, uses no more than 32 bits.
    public init(seed: UInt32) {
        engine = MersenneTwister(seed: seed)
    }

    /// Fills `values` with uniform numbers in [0, 1), multiples of 2^−24.
    public mutating func uniform(_ values: UnsafeMutableBufferPointer<Float>) {
        for i in 0..<values.count { values[i] = nextFloat() }
    }

    /// Fills `values` with standard normal numbers.
    public mutating func fill(_ values: UnsafeMutableBufferPointer<Float>) {
        let group = Self.group
        guard values.count >= group else {
            for i in 0..<values.count { values[i] = Float(nextNormal()) }
            return
        }
        uniform(values)
        for start in stride(from: 0, through: values.count - group, by: group) {
            Self.transform(UnsafeMutableBufferPointer(rebasing: values[start..<start + group]))
        }
        if !values.count.isMultiple(of: group) {
            // The remainder is not topped up: torch draws the last sixteen anew, over the end of the last full group.
            let tail = UnsafeMutableBufferPointer(rebasing: values[(values.count - group)...])
            uniform(tail)
            Self.transform(tail)
        }
    }

    private static let group = 16

    /// Box–Muller over a group: radii from the first half, angles from the second.
    private static func transform(_ values: UnsafeMutableBufferPointer<Float>) {
        let half = group / 2
        for i in 0..<half {
            let radius = (-2 * log(Double(1 - values[i]))).squareRoot()
            let angle = 2 * Double.pi * Double(values[i + half])
            values[i] = Float(radius * cos(angle))
            values[i + half] = Float(radius * sin(angle))
        }
    }

    /// 24 random bits as a Float.
    private mutating func nextFloat() -> Float {
        Float(engine.next() & 0xff_ffff) * 0x1p-24
    }

    /// 53 random bits as a Double; the first word is the high one.
    private mutating func nextDouble() -> Double {
        let high = UInt64(engine.next())
        let low = UInt64(engine.next())
        return Double((high << 32 | low) & 0x1f_ffff_ffff_ffff) * 0x1p-53
    }

    /// Box–Muller in Double, two numbers at a time.
    private mutating func nextNormal() -> Double {
        if let spare {
            self.spare = nil
            return spare
        }
        let turn = nextDouble()
        let radius = (-2 * log1p(-nextDouble())).squareRoot()
        let angle = 2 * Double.pi * turn
        spare = radius * sin(angle)
        return radius * cos(angle)
    }
}

/// The 32-bit Mersenne Twister mt19937 (Matsumoto & Nishimura, 1998).
private struct MersenneTwister: Sendable {
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
