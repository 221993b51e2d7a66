import Compute
import Synchronization
import Testing

@testable import Pipeline

/// How many images are in flight.
@Suite struct ConcurrencyTests {
    private static let plenty = 1 << 40

    private func concurrency(
        asked: Int? = nil, threads: Int, images: Int, run: Int = 1, decoding: Int = 0, free: Int = plenty
    ) -> Concurrency {
        Concurrency(asked: asked, threads: threads, images: images, bytes: (run, decoding), free: free)
    }

    @Test(arguments: [1, 2, 3, 4, 8, 16], [1, 2, 3, 5, 8, 1000])
    func `images in flight have a thread at least each, and all threads together`(threads: Int, images: Int) {
        let counts = concurrency(threads: threads, images: images).workers.map(\.count)
        #expect(counts.allSatisfy { $0 >= 1 } && counts.reduce(0, +) == threads)
        #expect(counts.count <= images && (counts.max() ?? 0) - (counts.min() ?? 0) <= 1)
    }

    @Test(arguments: [1, 2, 4, 8])
    func `many images get a thread each, a single one gets all`(threads: Int) {
        #expect(concurrency(threads: threads, images: 1000).workers.count == threads)
        #expect(concurrency(threads: threads, images: 1).workers == [Workers(count: threads)])
    }

    @Test func `what was asked for is done, with a thread each at least`() {
        #expect(concurrency(asked: 5, threads: 2, images: 1000).workers.map(\.count) == [1, 1, 1, 1, 1])
        #expect(concurrency(asked: 2, threads: 5, images: 1000).workers.map(\.count) == [3, 2])
        #expect(concurrency(asked: 3, threads: 8, images: 1000, run: 100, free: 100).workers.count == 3)
    }

    @Test(arguments: [(0, 1), (100, 1), (400, 2), (799, 3), (800, 4), (100_000, 8)])
    func `images in flight take half of the free memory at most, and one is always made`(free: Int, expected: Int) {
        #expect(concurrency(threads: 8, images: 1000, run: 100, free: free).workers.count == expected)
    }

    @Test func `no more pictures are decoded at a time than memory allows beside the runs`() {
        #expect(concurrency(threads: 4, images: 1000, run: 100, decoding: 1000, free: 10_000).decoders == 4)
        #expect(concurrency(threads: 4, images: 1000, run: 100, decoding: 1000, free: 5000).decoders == 2)
        #expect(concurrency(threads: 4, images: 1000, run: 100, decoding: 1000, free: 1).decoders == 1)
    }

    @Test(arguments: [1, 2, 5])
    func `every slot runs once, at the same time as the others`(count: Int) {
        let arrived = Atomic<Int>(0)
        let seen = Mutex<[Int]>([])
        concurrency(asked: count, threads: 1, images: 1000).run { slot in
            arrived.add(1, ordering: .sequentiallyConsistent)
            // Ends only if all slots are here at once.
            while arrived.load(ordering: .sequentiallyConsistent) < count {}
            seen.withLock { $0.append(slot) }
        }
        #expect(seen.withLock(\.self).sorted() == Array(0..<count))
    }
}
