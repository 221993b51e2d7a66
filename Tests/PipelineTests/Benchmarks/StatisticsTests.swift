import Testing

@testable import Pipeline

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
}
