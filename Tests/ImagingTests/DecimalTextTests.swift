import Glibc
import TestSupport
import Testing

@testable import Imaging

@Suite struct DecimalTextTests {
    /// What C prints.
    static func printed(_ value: Double, digits: Int) -> String {
        var buffer = [CChar](repeating: 0, count: 64)
        let count = withVaList([digits, value]) { vsnprintf(&buffer, buffer.count, "%.*f", $0) }
        return String(decoding: buffer[..<Int(count)].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    @Test(arguments: 0...6)
    func `fixed decimals are those of C's printf`(digits: Int) {
        var random = SplitMix64(seed: UInt64(digits))
        let random1000 = (0..<1000).map { _ in Double.random(in: -1000...1000, using: &random) }
        // Ties, some of which only look like ties: 2.675 is a little less in binary, 1.005 too.
        let ties = [0.5, 1.5, 2.5, 0.125, 0.375, 2.675, 1.005, 0.045, 8.345, 1e-9, 0.999999999, 99.995, 123456.5]
        let differing = (random1000 + ties + ties.map(-)).filter { value in
            let text = DecimalText.fixed(value, digits: digits)
            let reference = Self.printed(value, digits: digits)
            // C keeps the sign of what it rounds to zero.
            let isZero = reference.allSatisfy { "-0.".contains($0) }
            return text != (isZero ? String(reference.drop { $0 == "-" }) : reference)
        }
        #expect(differing == [])
    }

    @Test(
        arguments: [
            (0, "0"), (1, "1"), (1234, "1234"), (0.05, "0.05"), (-0.00123, "-0.00123"), (12345.678, "12346"),
            (1.5e-7, "1.5×10⁻⁷"), (-1e-10, "-10⁻¹⁰"), (9.9999e20, "10²¹"), (1e-300, "10⁻³⁰⁰"), (.nan, "–"),
            (.infinity, "∞"), (-.infinity, "-∞"),
        ] as [(Double, String)])
    func `significant digits choose the notation that is easier to read`(value: Double, text: String) {
        #expect(DecimalText.significant(value, digits: 4) == text)
    }

    @Test func `numbers beyond 53 bits are written as powers of ten`() {
        #expect(DecimalText.fixed(1e300, digits: 2) == "10³⁰⁰")
        #expect(DecimalText.fixed(-2.5e17, digits: 0) == "-2.5×10¹⁷")
    }

    @Test func `zero has no sign`() {
        #expect(DecimalText.fixed(-0.0, digits: 2) == "0.00")
        #expect(DecimalText.fixed(-0.004, digits: 2) == "0.00")
    }
}
