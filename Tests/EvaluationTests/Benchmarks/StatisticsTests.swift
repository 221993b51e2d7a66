import Testing

@testable import Evaluation

@Suite struct StatisticsTests {
    @Test func `quartiles are interpolated between neighbours`() {
        #expect(Quartiles([3]).median == 3 && Quartiles([3]).lower == 3)
        let five = Quartiles([5, 1, 4, 2, 3])
        #expect(five.lower == 2 && five.median == 3 && five.upper == 4)
        let four = Quartiles([4, 1, 2, 3])
        #expect(four.lower == 1.75 && four.median == 2.5 && four.upper == 3.25)
    }

    /// The ranks of the sign test's interval of at least 95 %, as printed in tables of order statistics.
    @Test(arguments: [(2, 1), (5, 1), (6, 1), (8, 1), (9, 2), (10, 2), (15, 4), (20, 6), (25, 8)])
    func `the interval of the median is the sign test's`(count: Int, rank: Int) {
        let ratio = PairedRatio(ratios: (1...count).reversed().map(Double.init))
        #expect(ratio.low == Double(rank) && ratio.high == Double(count + 1 - rank))
        #expect(ratio.pairs == count)
    }

    @Test func `ratios are taken pair by pair`() {
        let ratio = PairedRatio([2, 40, 6], over: [1, 10, 2])
        #expect(ratio.quartiles.median == 3 && ratio.low == 2 && ratio.high == 4)
    }

    /// As printed in tables of Student's distribution, two-sided 5 %.
    @Test(arguments: [
        (1, 12.706), (2, 4.303), (3, 3.182), (7, 2.365), (15, 2.131), (30, 2.042), (31, 2.040), (120, 1.980),
    ])
    func `the interval of a mean is as wide as Student's distribution says`(degrees: Int, quantile: Double) {
        #expect(abs(MeanInterval.quantile(degrees: degrees) - quantile) < 6e-4)
    }

    @Test func `the interval of a mean lies around it, and needs two finite values`() throws {
        let interval = try #require(MeanInterval([1, 2, 3, 4]))
        // 2.5 ± 3.182 · 1.291/2
        #expect(abs(interval.low - 0.4457) < 1e-3 && abs(interval.high - 4.5543) < 1e-3)
        #expect(MeanInterval([3]) == nil && MeanInterval([]) == nil && MeanInterval([1, .infinity]) == nil)
        #expect(MeanInterval([5, 5, 5])?.half == 0)
    }

    @Test func `no speed-up is more than the evaluations can give`() {
        #expect(SpeedUp.possible(8.79, from: 100, to: 50) == 2)
        #expect(SpeedUp.possible(1.7, from: 100, to: 50) == 1.7)
        #expect(SpeedUp.possible(1.1, from: 4, to: 4) == 1)
        #expect(SpeedUp.possible(3, from: 4, to: 0) == 3)
    }
}
