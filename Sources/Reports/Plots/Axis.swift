import Glibc

/// How numbers are laid along an axis.
public enum AxisScale: Sendable {
    /// Equal differences take equal room.
    case linear
    /// Equal ratios take equal room; what is not above zero cannot be drawn.
    case logarithmic
}

/// The range of a drawing's axis and where it is labelled.
struct Axis: Equatable {
    struct Tick: Equatable {
        var value: Double
        var label: String
    }

    let scale: AxisScale
    let lowerBound: Double
    let upperBound: Double
    let ticks: [Tick]

    /// An axis that begins and ends with a tick and holds all of `values` that can be drawn.
    ///
    /// One value alone, or several that are all but equal, get some room around them; without any, the axis shows
    /// 0 to 1, or 1 to 10 if it is logarithmic.
    init(covering values: some Sequence<Double>, scale: AxisScale, tickCount: Int = 6) {
        let drawable = values.filter { Self.canDraw($0, scale: scale) }
        let least = drawable.min()
        let greatest = drawable.max()
        switch scale {
        case .linear:
            let range = Self.widened(from: least ?? 0, to: greatest ?? 1)
            self.init(scale: scale, ticks: Self.linearTicks(from: range.lower, to: range.upper, count: tickCount))
        case .logarithmic:
            self.init(scale: scale, ticks: Self.logarithmicTicks(from: least ?? 1, to: greatest ?? 10))
        }
    }

    /// An axis of the steps 0..<count, each in the middle of a stretch of length 1.
    init(steps count: Int) {
        let every = Self.niceInterval(atLeast: max(1, Double(count) / 12))
        let interval = max(1, Int(every.mantissa * DecimalText.powerOfTen(every.exponent)))
        let ticks = stride(from: 0, to: count, by: interval).map { Tick(value: Double($0), label: "\($0)") }
        self.init(scale: .linear, from: -0.5, to: Double(max(1, count)) - 0.5, ticks: ticks)
    }

    private init(scale: AxisScale, ticks: [Tick]) {
        self.init(scale: scale, from: ticks.first?.value ?? 0, to: ticks.last?.value ?? 1, ticks: ticks)
    }

    private init(scale: AxisScale, from lower: Double, to upper: Double, ticks: [Tick]) {
        self.scale = scale
        self.lowerBound = lower
        self.upperBound = upper
        self.ticks = ticks
    }

    /// The position of `value` between the ends, as 0 to 1, or nil where it has no place.
    func share(of value: Double) -> Double? {
        guard Self.canDraw(value, scale: scale), (lowerBound...upperBound).contains(value) else { return nil }
        return switch scale {
        case .linear: (value - lowerBound) / (upperBound - lowerBound)
        case .logarithmic: min(1, max(0, log10(value / lowerBound) / log10(upperBound / lowerBound)))
        }
    }

    /// The share of the nearest value that the axis holds; NaN counts as least.
    func clampedShare(of value: Double) -> Double {
        value >= upperBound ? 1 : share(of: value) ?? 0
    }

    /// Whether a number has a place on some axis.
    ///
    /// Numbers of extreme size count as missing, so that no difference or ratio of two leaves the range of `Double`.
    static func canDraw(_ value: Double, scale: AxisScale) -> Bool {
        guard value.magnitude < 1e100 else { return false }
        return scale == .linear || value > 1e-100
    }

    /// The range itself, or one with some room where the ends are too near for ticks between them.
    private static func widened(from lower: Double, to upper: Double) -> (lower: Double, upper: Double) {
        let size = max(lower.magnitude, upper.magnitude)
        guard upper - lower <= size * 1e-9 || size < 1e-100 else { return (lower, upper) }
        let room = size < 1e-100 ? 1 : size / 10
        return (lower - room, upper + room)
    }

    /// The multiples of a round interval from the last one below the range to the first one above it.
    private static func linearTicks(from lower: Double, to upper: Double, count: Int) -> [Tick] {
        let (mantissa, exponent) = niceInterval(atLeast: (upper - lower) / Double(count))
        // Whole numbers divided by a power of ten are the nearest to the decimal that a label shows.
        func value(_ index: Double) -> Double {
            exponent < 0
                ? index * mantissa / DecimalText.powerOfTen(-exponent)
                : index * mantissa * DecimalText.powerOfTen(exponent)
        }
        let interval = value(1)
        var first = (lower / interval).rounded(.down)
        var last = (upper / interval).rounded(.up)
        // The divisions were rounded.
        while value(first) > lower { first -= 1 }
        while value(last) < upper { last += 1 }

        let greatest = max(value(first).magnitude, value(last).magnitude)
        let isPlain = greatest < 1e6 && (exponent >= -4 || greatest >= 0.01)
        // As many decimals as it takes to distinguish neighbouring ticks.
        let decimals = isPlain ? -exponent : Int(log10(greatest).rounded(.down)) - exponent
        return stride(from: first, through: last, by: 1).map { index in
            let tick = value(index)
            let digits = min(15, max(0, decimals))
            return Tick(
                value: tick,
                label: isPlain
                    ? DecimalText.fixed(tick, digits: digits) : DecimalText.scientific(tick, digits: digits))
        }
    }

    /// The least of 1, 2 and 5 times a power of ten that is not below `length`.
    private static func niceInterval(atLeast length: Double) -> (mantissa: Double, exponent: Int) {
        let exponent = Int(log10(length).rounded(.down))
        let mantissa = length / DecimalText.powerOfTen(exponent)
        // A little slack: 2.0000000000000004 is 2.
        return switch mantissa {
        case ...(1 + 1e-9): (1, exponent)
        case ...(2 + 1e-9): (2, exponent)
        case ...(5 + 1e-9): (5, exponent)
        default: (1, exponent + 1)
        }
    }

    /// Powers of ten around the range, thinned where there are many; 1, 2 and 5 times each where there are few.
    private static func logarithmicTicks(from lower: Double, to upper: Double) -> [Tick] {
        // One decade more at both ends, since logarithms are rounded.
        let decades = Int(log10(lower).rounded(.down)) - 1...Int(log10(upper).rounded(.up)) + 1
        let candidates =
            upper / lower < 300
            ? decades.flatMap { decade in [1, 2, 5].map { $0 * DecimalText.powerOfTen(decade) } }
            : decades.map(DecimalText.powerOfTen)
        var first = candidates.lastIndex { $0 <= lower } ?? 0
        var last = candidates.firstIndex { $0 >= upper } ?? candidates.count - 1
        if first == last {
            first -= 1
            last += 1
        }
        var values = Array(candidates[first...last])
        if upper / lower >= 300 {
            let every = (last - first + 5) / 6
            let start = decades.lowerBound + first
            values = (0...(last - first + every - 1) / every).map { DecimalText.powerOfTen(start + $0 * every) }
        }
        let isPlain = values.allSatisfy { (1e-3..<1e6).contains($0) }
        return values.map { value in
            let label =
                isPlain ? DecimalText.significant(value, digits: 1) : DecimalText.scientific(value, digits: 0)
            return Tick(value: value, label: label)
        }
    }
}
