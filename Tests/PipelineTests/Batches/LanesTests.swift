import Compute
import Synchronization
import Testing

@testable import Pipeline

/// How many images are in flight.
@Suite struct LanesTests {
    private static let plenty = 1 << 40

    private func lanes(
        asked: Int? = nil, threads: Int, images: Int, run: Int = 1, decoding: Int = 0, free: Int = plenty
    ) -> Lanes {
        Lanes(asked: asked, threads: threads, images: images, bytes: (run, decoding), free: free)
    }

    @Test(arguments: [1, 2, 3, 4, 8, 16], [1, 2, 3, 5, 8, 1000])
    func `lanes have a thread at least each, and all threads together`(threads: Int, images: Int) {
        let counts = lanes(threads: threads, images: images).workers.map(\.count)
        #expect(counts.allSatisfy { $0 >= 1 } && counts.reduce(0, +) == threads)
        #expect(counts.count <= images && (counts.max() ?? 0) - (counts.min() ?? 0) <= 1)
    }

    @Test(arguments: [1, 2, 4, 8])
    func `many images get a thread each, a single one gets all`(threads: Int) {
        #expect(lanes(threads: threads, images: 1000).workers.count == threads)
        #expect(lanes(threads: threads, images: 1).workers == [Workers(count: threads)])
    }

    @Test func `what was asked for is done, with a thread each at least`() {
        #expect(lanes(asked: 5, threads: 2, images: 1000).workers.map(\.count) == [1, 1, 1, 1, 1])
        #expect(lanes(asked: 2, threads: 5, images: 1000).workers.map(\.count) == [3, 2])
        #expect(lanes(asked: 3, threads: 8, images: 1000, run: 100, free: 100).workers.count == 3)
    }

    @Test(arguments: [(0, 1), (100, 1), (400, 2), (799, 3), (800, 4), (100_000, 8)])
    func `images in flight take half of the free memory at most, and one is always made`(free: Int, expected: Int) {
        #expect(lanes(threads: 8, images: 1000, run: 100, free: free).workers.count == expected)
    }

    @Test func `no more pictures are decoded at a time than memory allows beside the runs`() {
        #expect(lanes(threads: 4, images: 1000, run: 100, decoding: 1000, free: 10_000).decoders == 4)
        #expect(lanes(threads: 4, images: 1000, run: 100, decoding: 1000, free: 5000).decoders == 2)
        #expect(lanes(threads: 4, images: 1000, run: 100, decoding: 1000, free: 1).decoders == 1)
    }

    @Test(arguments: [1, 2, 5])
    func `every lane runs once, at the same time as the others`(count: Int) {
        let arrived = Atomic<Int>(0)
        let seen = Mutex<[Int]>([])
        lanes(asked: count, threads: 1, images: 1000).run { lane in
            arrived.add(1, ordering: .sequentiallyConsistent)
            // Ends only if all lanes are here at once.
            while arrived.load(ordering: .sequentiallyConsistent) < count {}
            seen.withLock { $0.append(lane) }
        }
        #expect(seen.withLock(\.self).sorted() == Array(0..<count))
    }
}
