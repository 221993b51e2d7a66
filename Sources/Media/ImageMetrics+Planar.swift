import Glibc

extension ImageMetrics {
    /// Peak signal-to-noise ratio in dB of two pictures before they are rounded to 8 bits: 10 · log10(extent of `range`² /
    /// mean squared difference), with every value clamped to `range` and NaN taken as its lower end, as by
    /// ``Image/init(planar:width:height:channels:range:)``.
    ///
    /// Infinite only for pictures that are the same number for number. Two that differ by less than a level can be the
    /// same after rounding, and the figure after rounding depends on where the levels happen to lie.
    public static func psnr(
        _ first: some Collection<Float>, _ second: some Collection<Float>, range: ClosedRange<Float>
    ) -> Double {
        precondition(first.count == second.count, "\(first.count) values against \(second.count)")
        func clamped(_ value: Float) -> Double {
            Double(value > range.lowerBound ? min(value, range.upperBound) : range.lowerBound)
        }
        var sum = 0.0
        for (a, b) in zip(first, second) {
            let difference = clamped(a) - clamped(b)
            sum += difference * difference
        }
        guard sum > 0 else { return .infinity }
        let extent = Double(range.upperBound) - Double(range.lowerBound)
        return 10 * log10(extent * extent * Double(first.count) / sum)
    }
}
