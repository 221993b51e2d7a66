import Dispatch
import Synchronization

/// How many threads one forward may use, and the loop that spreads tasks over them.
///
/// Work is cut into tasks by its shape alone, never by the number of threads, so that a result does not depend on
/// ``count`` (same request, same bits).
public struct Workers: Sendable, Equatable {
    /// The most threads that work at a time, at least 1.
    public let count: Int

    /// Creates a group of `count` threads; values below 1 count as 1.
    public init(count: Int = Workers.available) {
        self.count = max(1, count)
    }

    /// The processors that this process may run on: its affinity mask, not the machine's total.
    public static var available: Int { BLAS.processorCount }

    /// Runs `body(worker, task)` for every task in `0..<tasks` and returns when all are done.
    ///
    /// `worker` is in `0..<count` and no two tasks that run at once share it, so it may index scratch memory. Tasks
    /// are handed out as threads become free, in any order.
    @inline(__always)
    public func run(tasks: Int, _ body: (_ worker: Int, _ task: Int) -> Void) {
        let threads = min(count, tasks)
        guard threads > 1 else {
            for task in 0..<tasks { body(0, task) }
            return
        }
        let next = Atomic<Int>(0)
        withoutActuallyEscaping(body) { body in
            // Safe to share: `concurrentPerform` returns only when every thread has left `body`.
            nonisolated(unsafe) let body = body
            DispatchQueue.concurrentPerform(iterations: threads) { worker in
                while true {
                    let task = next.add(1, ordering: .relaxed).oldValue
                    guard task < tasks else { return }
                    body(worker, task)
                }
            }
        }
    }
}
