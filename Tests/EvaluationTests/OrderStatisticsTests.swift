import Caching
import TestSupport
import Testing

@testable import Evaluation

/// Percentiles and their intervals.
@Suite struct OrderStatisticsTests {
    @Test func `a percentile is interpolated between neighbours, and an infinite value is the highest`() {
        #expect(DecibelPercentile(0.5, of: [40, 20, 30]).value == 30)
        #expect(DecibelPercentile(0.05, of: (0...20).map(Double.init)).value == 1)
        #expect(DecibelPercentile(0.05, of: (0...10).map(Double.init)).value == 0.5)
        #expect(DecibelPercentile(0.5, of: [nil, 20, 30]).value == 30)
        #expect(DecibelPercentile(0.5, of: [nil, 20, 30, nil]).value == nil)
        #expect(DecibelPercentile(0.5, of: [nil, nil]).value == nil)
    }

    /// scipy.stats.binom.ppf gives the ranks: the lower is ppf(0.025, n, share), which a value below 1 leaves without.
    @Test(arguments: [
        (71, 0.05, nil, 9), (72, 0.05, 1, 9), (128, 0.05, 2, 13), (1000, 0.05, 37, 65), (5, 0.5, nil, nil),
        (6, 0.5, 1, 6), (128, 0.5, 53, 76), (50_000, 0.5, 24_781, 25_220),
    ])
    func `the ranks of the interval are the binomial distribution's`(count: Int, share: Double, low: Int?, high: Int?) {
        #expect(OrderStatistics.rank(below: share, of: count) == low)
        #expect(OrderStatistics.rank(above: share, of: count) == high)
    }

    @Test func `too few values leave an interval from 0 to infinity`() {
        let few = DecibelPercentile(0.05, of: [30, 40, 50])
        #expect(few.low == 0 && few.high == 40)
        let median = DecibelPercentile(0.5, of: [30, 40, 50])
        #expect(median.low == 0 && median.high == nil)
    }

    @Test(arguments: [(0.05, 128), (0.05, 80), (0.5, 32), (0.5, 128)])
    func `the interval misses the true percentile in at most one sample of twenty`(share: Double, count: Int) {
        var random = SplitMix64(seed: UInt64(count))
        let samples = 2000
        let misses = (0..<samples).count { _ in
            // The cube of a uniform number, so that the distribution is far from normal.
            let values = (0..<count).map { _ in Double.random(in: 0..<1, using: &random) }.map { $0 * $0 * $0 }
            let percentile = DecibelPercentile(share, of: values)
            let truth = share * share * share
            return (percentile.low ?? .infinity) > truth || (percentile.high ?? .infinity) < truth
        }
        // Four standard deviations above 5 %.
        #expect(Double(misses) < Double(samples) * (0.05 + 4 * (0.05 * 0.95 / Double(samples)).squareRoot()))
    }

    /// Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    @Test(arguments: [
        (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611), (1, 29, 0.0061, 0.1718),
    ])
    func `the interval of a share is Wilson's`(count: Int, total: Int, low: Double, high: Double) {
        let share = Proportion(count, of: total)
        #expect(abs(share.low - low) < 5e-5 && abs(share.high - high) < 5e-5)
        let rest = Proportion(total - count, of: total)
        #expect(abs(rest.low - (1 - high)) < 5e-5 && abs(rest.high - (1 - low)) < 5e-5)
        #expect(share.count == count && share.share == Double(count) / Double(total))
    }
}
