/// SHA-256 (FIPS 180-4), fed piece by piece.
///
/// It names weights, settings and files; nothing secret depends on it. The package that offers it for Swift builds a
/// whole cryptographic library, for minutes, to use this one function.
struct SHA256 {
    private static let blockBytes = 64

    private var state: SIMD8<UInt32> = [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
    ]
    private var pending: [UInt8] = []
    private var length: UInt64 = 0

    /// The hash of `bytes` in 64 hexadecimal digits.
    static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        var hash = SHA256()
        Array(bytes).withUnsafeBytes { hash.update($0) }
        return hash.finish()
    }

    /// Appends `bytes` to the message.
    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        length += UInt64(bytes.count)
        var rest = bytes[...]
        if !pending.isEmpty {
            let missing = rest.prefix(Self.blockBytes - pending.count)
            pending.append(contentsOf: missing)
            rest = rest.dropFirst(missing.count)
            guard pending.count == Self.blockBytes else { return }
            pending.withUnsafeBytes { state = Self.compress($0, into: state) }
            pending.removeAll(keepingCapacity: true)
        }
        while rest.count >= Self.blockBytes {
            state = Self.compress(UnsafeRawBufferPointer(rebasing: rest.prefix(Self.blockBytes)), into: state)
            rest = rest.dropFirst(Self.blockBytes)
        }
        pending.append(contentsOf: rest)
    }

    /// Ends the message and returns its hash in 64 hexadecimal digits.
    consuming func finish() -> String {
        let bits = length * 8
        let zeros = (2 * Self.blockBytes - 9 - pending.count) % Self.blockBytes
        var ending: [UInt8] = [0x80] + Array(repeating: 0, count: zeros)
        withUnsafeBytes(of: bits.bigEndian) { ending.append(contentsOf: $0) }
        ending.withUnsafeBytes { update($0) }
        return state.indices.map { index in
            let digits = String(state[index], radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
    }

    /// One block of 64 bytes (section 6.2.2).
    private static func compress(_ block: UnsafeRawBufferPointer, into state: SIMD8<UInt32>) -> SIMD8<UInt32> {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { w in
            for index in 0..<16 {
                w[index] = UInt32(bigEndian: block.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self))
            }
            for index in 16..<64 {
                let (early, late) = (w[index - 15], w[index - 2])
                let small0 = rotate(early, 7) ^ rotate(early, 18) ^ (early >> 3)
                let small1 = rotate(late, 17) ^ rotate(late, 19) ^ (late >> 10)
                w[index] = w[index - 16] &+ small0 &+ w[index - 7] &+ small1
            }
            var (a, b, c, d) = (state[0], state[1], state[2], state[3])
            var (e, f, g, h) = (state[4], state[5], state[6], state[7])
            for round in 0..<64 {
                let sum1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
                let first = h &+ sum1 &+ ((e & f) ^ (~e & g)) &+ roundConstants[round] &+ w[round]
                let sum0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
                let second = sum0 &+ ((a & b) ^ (a & c) ^ (b & c))
                (h, g, f, e, d, c, b, a) = (g, f, e, d &+ first, c, b, a, first &+ second)
            }
            return state &+ [a, b, c, d, e, f, g, h]
        }
    }

    private static func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 {
        (word &>> count) | (word &<< (32 &- count))
    }

    /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes (section 4.2.2).
    private static let roundConstants: [UInt32] = {
        var constants: [UInt32] = []
        var candidate: UInt64 = 2
        while constants.count < 64 {
            let isPrime = (2..<candidate).prefix { $0 * $0 <= candidate }.allSatisfy { candidate % $0 != 0 }
            if isPrime { constants.append(fractionOfCubeRoot(candidate)) }
            candidate += 1
        }
        return constants
    }()

    /// floor(2^32 frac(cbrt(n))) by bisection over integers: the largest r with r^3 <= n 2^96.
    private static func fractionOfCubeRoot(_ n: UInt64) -> UInt32 {
        var (low, high) = (UInt128(0), UInt128(1) << 36)
        let target = UInt128(n) << 96
        while high - low > 1 {
            let middle = (low + high) / 2
            if middle * middle * middle <= target { low = middle } else { high = middle }
        }
        return UInt32(truncatingIfNeeded: low)
    }
}
