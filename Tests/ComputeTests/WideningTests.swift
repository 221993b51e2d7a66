import Testing

@testable import Compute

@Suite struct WideningTests {
    private static let patterns = (0...UInt16.max).map { $0 }

    private func widened(
        _ loop: (UnsafeRawPointer, UnsafeMutablePointer<Float>, Int) -> Void
    ) throws -> [Float] {
        // One byte in front: the source of a mapped tensor need not be aligned.
        let bytes: [UInt8] =
            [0] + Self.patterns.flatMap { pattern -> [UInt8] in [UInt8(pattern & 0xFF), UInt8(pattern >> 8)] }
        return try bytes.withUnsafeBytes { source in
            let start = try #require(source.baseAddress)
            return [Float](unsafeUninitializedCapacity: Self.patterns.count) { destination, count in
                guard let target = destination.baseAddress else { return }
                loop(start + 1, target, Self.patterns.count)
                count = Self.patterns.count
            }
        }
    }

    @Test func `every float16 widens to the same number`() throws {
        let numbers = try widened { WeightMatrix.Element.float16.widen($0, into: $1, count: $2) }
        let wrong = zip(Self.patterns, numbers).filter { pattern, number in
            let expected = Float(Float16(bitPattern: pattern))
            return number.bitPattern != expected.bitPattern && !(number.isNaN && expected.isNaN)
        }
        #expect(wrong.count == 0)
    }

    @Test func `every bfloat16 widens to the float of which it is the upper half`() throws {
        let numbers = try widened { WeightMatrix.Element.bfloat16.widen($0, into: $1, count: $2) }
        let isRight = numbers.map(\.bitPattern) == Self.patterns.map { UInt32($0) << 16 }
        #expect(isRight)
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity, .signalingNaN])
    func `a number that is not finite is found anywhere`(bad: Float) {
        for count in [1, 2, 7, 8, 9, 33] {
            for position in 0..<count {
                var numbers = [Float](repeating: -.greatestFiniteMagnitude, count: count)
                #expect(WeightMatrix.Element.float32.areFinite(numbers, count: count))
                numbers[position] = bad
                #expect(!WeightMatrix.Element.float32.areFinite(numbers, count: count))
            }
        }
    }

    @Test func `a stored number that is not finite is found by its bits`() {
        for pattern in Self.patterns {
            // Unaligned, and last of an odd number, so that no vector holds it.
            let bytes = [0, 0, 0] + [UInt8(pattern & 0xFF), UInt8(pattern >> 8)]
            let (half, upper) = bytes.withUnsafeBytes { buffer in
                buffer.baseAddress.map {
                    (
                        WeightMatrix.Element.float16.areFinite($0 + 1, count: 2),
                        WeightMatrix.Element.bfloat16.areFinite($0 + 1, count: 2)
                    )
                } ?? (false, false)
            }
            let isRight =
                half == Float16(bitPattern: pattern).isFinite
                && upper == Float(bitPattern: UInt32(pattern) << 16).isFinite
            if !isRight { Issue.record("\(String(pattern, radix: 16)): \(half), \(upper)") }
        }
    }
}
