import Caching
import Testing

@Suite struct SpreadTests {
    @Test func `mean and standard deviation are those of the sample`() throws {
        let spread = try #require(Moments([2, 4, 4, 4, 5, 5, 7, 9]).spread)
        #expect(abs(spread.mean - 5) < 1e-14)
        #expect(abs((spread.standardDeviation ?? .nan) - (32.0 / 7).squareRoot()) < 1e-14)
    }

    @Test func `one number has no spread, and none has no mean`() {
        #expect(Moments([3]).spread == Spread(mean: 3, standardDeviation: nil))
        #expect(Moments([]).spread == nil)
    }

    @Test func `a run without the quantity is left out`() {
        var moments = Moments([1])
        moments.add(nil)
        moments.add(3)
        #expect(moments.count == 2 && moments.spread?.mean == 2)
    }

    @Test func `a large mean does not swallow a small spread`() {
        let moments = Moments([1e9 + 1, 1e9 + 2, 1e9 + 3])
        #expect(abs((moments.spread?.standardDeviation ?? .nan) - 1) < 1e-6)
    }
}
