import TestSupport
import Testing

@testable import Media
@testable import Reports

@Suite struct DecimalTextTests {
    // Some of these only look like ties: 2.675 is a little less in binary, 1.005 too.
    @Test(
        arguments: [
            (0.5, 0, "0"), (1.5, 0, "2"), (2.5, 0, "2"), (-1.5, 0, "-2"), (0.125, 2, "0.12"), (0.375, 2, "0.38"),
            (2.675, 2, "2.67"), (1.005, 2, "1.00"), (99.995, 2, "100.00"), (0.999999999, 3, "1.000"),
            (123456.5, 0, "123456"), (-0.25, 1, "-0.2"), (3, 15, "3.000000000000000"),
        ] as [(Double, Int, String)])
    func `fixed decimals are rounded to the nearest, exact ties to even`(value: Double, digits: Int, text: String) {
        #expect(DecimalText.fixed(value, digits: digits) == text)
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
