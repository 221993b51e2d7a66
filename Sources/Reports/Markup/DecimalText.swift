import Glibc

/// Formats numbers for readers, the same on every machine and in every locale.
enum DecimalText {
    /// The text of a missing number.
    static let missing = "–"

    /// `value` with `digits` decimals, rounded to the nearest and exact ties to even, as C's `%.*f` does.
    ///
    /// NaN becomes ``missing``, infinity `∞`, and what needs more than 53 bits ``scientific(_:digits:)``. A zero has no
    /// sign.
    static func fixed(_ value: Double, digits: Int) -> String {
        precondition((0...15).contains(digits), "0 to 15 decimals, not \(digits)")
        guard value.isFinite else { return nonFinite(value) }
        guard value.magnitude * powerOfTen(digits) < 0x1p53 else { return scientific(value, digits: 3) }
        // 16 digits of units and decimals, a sign, a point and C's NUL fit.
        var buffer = [CChar](repeating: 0, count: 40)
        let count = withVaList([digits, value]) { vsnprintf(&buffer, buffer.count, "%.*f", $0) }
        let text = String(decoding: buffer[..<Int(count)].map(UInt8.init(bitPattern:)), as: UTF8.self)
        let isZero = text.allSatisfy { "-0.".contains($0) }
        return isZero && text.hasPrefix("-") ? String(text.dropFirst()) : text
    }

    /// `value` as a mantissa with at most `digits` decimals and a power of ten, such as `2.5×10⁻⁷`.
    static func scientific(_ value: Double, digits: Int) -> String {
        guard value.isFinite else { return nonFinite(value) }
        guard value != 0 else { return "0" }
        var exponent = Int(log10(value.magnitude).rounded(.down))
        var mantissa = fixed(scaled(value, by: -exponent), digits: digits)
        // Rounding up, here or in the logarithm, may have reached ten.
        if mantissa.hasPrefix("10") || mantissa.hasPrefix("-10") {
            exponent += 1
            mantissa = fixed(scaled(value, by: -exponent), digits: digits)
        }
        let trimmed = trimmingZeros(mantissa)
        let power = "10" + superscript(exponent)
        switch trimmed {
        case "1": return power
        case "-1": return "-" + power
        default: return trimmed + "×" + power
        }
    }

    /// `value` with about `digits` significant digits, in whichever of the two notations is easier to read.
    static func significant(_ value: Double, digits: Int) -> String {
        guard value.isFinite, value != 0 else { return value == 0 ? "0" : nonFinite(value) }
        let exponent = Int(log10(value.magnitude).rounded(.down))
        guard (-4...5).contains(exponent) else { return scientific(value, digits: digits - 1) }
        return trimmingZeros(fixed(value, digits: max(0, digits - 1 - exponent)))
    }

    /// 10 to a power: exact for 0...22, and correctly rounded elsewhere.
    static func powerOfTen(_ exponent: Int) -> Double { Double("1e\(exponent)") ?? .infinity }

    /// `text` without the zeros that end its decimals.
    static func trimmingZeros(_ text: String) -> String {
        guard text.contains(".") else { return text }
        let shorter = text[...(text.lastIndex { $0 != "0" } ?? text.startIndex)]
        return String(shorter.hasSuffix(".") ? shorter.dropLast() : shorter)
    }

    private static func nonFinite(_ value: Double) -> String {
        value.isNaN ? missing : value < 0 ? "-∞" : "∞"
    }

    /// `value` times 10 to `exponent`, by division where that is the exact way.
    private static func scaled(_ value: Double, by exponent: Int) -> Double {
        exponent < 0 ? value / powerOfTen(-exponent) : value * powerOfTen(exponent)
    }

    private static func superscript(_ exponent: Int) -> String {
        let digits: [Character] = ["⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"]
        return (exponent < 0 ? "⁻" : "")
            + String(String(exponent.magnitude).compactMap(\.wholeNumberValue).map { digits[$0] })
    }
}
