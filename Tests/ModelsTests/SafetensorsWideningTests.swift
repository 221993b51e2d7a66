import Testing

@testable import Models

@Suite struct SafetensorsWideningTests {
    private static let patterns = (0...UInt16.max).map { $0 }

    private func widened(
        _ loop: (UnsafeRawPointer, UnsafeMutablePointer<Float>, Int) -> Void
    ) throws -> [Float] {
        // One byte in front: the source of a mapped tensor need not be aligned.
        let bytes = [0] + littleEndian(Self.patterns)
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
        let numbers = try widened { FloatWidening.float16($0, into: $1, count: $2) }
        let wrong = zip(Self.patterns, numbers).filter { pattern, number in
            let expected = Float(Float16(bitPattern: pattern))
            return number.bitPattern != expected.bitPattern && !(number.isNaN && expected.isNaN)
        }
        #expect(wrong.isEmpty)
    }

    @Test func `every bfloat16 widens to the float of which it is the upper half`() throws {
        let numbers = try widened { FloatWidening.bfloat16($0, into: $1, count: $2) }
        #expect(numbers.map(\.bitPattern) == Self.patterns.map { UInt32($0) << 16 })
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity, .signalingNaN])
    func `a number that is not finite is found anywhere`(bad: Float) {
        for count in [1, 2, 7, 8, 9, 33] {
            for position in 0..<count {
                var numbers = [Float](repeating: -.greatestFiniteMagnitude, count: count)
                #expect(numbers.withUnsafeBufferPointer(FloatWidening.areFinite))
                numbers[position] = bad
                #expect(!numbers.withUnsafeBufferPointer(FloatWidening.areFinite))
            }
        }
    }
}
