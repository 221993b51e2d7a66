import Compute
import Dispatch
import Glibc
import Synchronization
import Testing

@Suite struct WorkersTests {
    /// How often each task of a loop was run.
    private final class Tally: Sendable {
        private let counts: Mutex<[Int]>

        init(_ tasks: Int) { counts = Mutex(Array(repeating: 0, count: tasks)) }

        func add(_ task: Int) { counts.withLock { $0[task] += 1 } }
        var isOnceEach: Bool { counts.withLock { $0.allSatisfy { $0 == 1 } } }
    }

    @Test(arguments: [1, 2, 3, 8], [0, 1, 2, 7, 100])
    func `every task is run once, by a worker of the group`(threads: Int, tasks: Int) {
        let workers = Workers(count: threads)
        for _ in 0..<50 {
            let tally = Tally(tasks)
            workers.run(tasks: tasks) { worker, task in
                #expect((0..<threads).contains(worker))
                tally.add(task)
            }
            #expect(tally.isOnceEach)
        }
    }

    @Test func `no two tasks at once share a worker`() {
        let workers = Workers(count: 4)
        let busy = Mutex<Set<Int>>([])
        workers.run(tasks: 200) { worker, _ in
            let isFree = busy.withLock { $0.insert(worker).inserted }
            #expect(isFree)
            usleep(10)
            busy.withLock { _ = $0.remove(worker) }
        }
    }

    @Test func `loops inside loops and beside them run every task once`() {
        let tallies = (0..<8).map { _ in Tally(300) }
        DispatchQueue.concurrentPerform(iterations: 8) { caller in
            Workers(count: 3).run(tasks: 30) { _, outer in
                Workers(count: 2).run(tasks: 10) { _, inner in tallies[caller].add(10 * outer + inner) }
            }
        }
        #expect(tallies.allSatisfy { $0.isOnceEach })
    }

    @Test func `a loop after a long pause finds sleeping threads`() throws {
        let workers = Workers(count: 3)
        for _ in 0..<5 {
            let tally = Tally(64)
            workers.run(tasks: 64) { _, task in tally.add(task) }
            #expect(tally.isOnceEach)
            usleep(20_000)
        }
    }

    @Test func `fewer than one thread counts as one`() {
        #expect(Workers(count: 0).count == 1)
        #expect(Workers(count: -3).count == 1)
        #expect(Workers.available >= 1)
    }
}
