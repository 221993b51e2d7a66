import Testing

@testable import Compute

@Suite struct FeatureMapPoolTests {
    @Test func `the smallest memory that fits is used again`() {
        let pool = FeatureMapPool()
        let (small, large) = (
            pool.take(height: 2, width: 2, channels: 16), pool.take(height: 4, width: 4, channels: 16)
        )
        pool.giveBack(large)
        pool.giveBack(small)
        #expect(pool.take(height: 2, width: 2, channels: 3).values === small.values)
        #expect(pool.take(height: 2, width: 2, channels: 3).values === large.values)
    }

    @Test func `memory that is too small is let go`() {
        let pool = FeatureMapPool()
        weak var old: Tensor?
        do {
            let map = pool.take(height: 2, width: 2, channels: 16)
            old = map.values
            pool.giveBack(map)
        }
        #expect(old != nil)
        let map = pool.take(height: 3, width: 2, channels: 16)
        #expect(map.values.count == 96)
        #expect(old == nil)
    }
}
