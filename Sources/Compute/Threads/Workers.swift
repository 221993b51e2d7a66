import COpenBLASLoader
import Glibc

/// How many threads one forward may use, and the loop that spreads tasks over them.
///
/// No bit of a result depends on ``count`` (same request, same bits): work is cut into tasks by its shape alone, or in
/// ways that change none (``ProductTiling``, ``Attention``).
public struct Workers: Sendable, Equatable {
    /// The most threads that work at a time, at least 1.
    public let count: Int

    /// Creates a group of `count` threads; values below 1 count as 1.
    public init(count: Int = Workers.available) {
        self.count = max(1, count)
    }

    /// The processors that this process may run on: its affinity mask, not the machine's total.
    public static let available: Int = {
        let count = Int(openblas_processor_count())
        // A machine may have more processors than the mask has bits for.
        return count > 0 ? count : max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    }()

    /// Runs `body(worker, task)` for every task in `0..<tasks` and returns when all are done.
    ///
    /// `worker` is in `0..<count` and no two tasks that run at once share it, so it may index scratch memory. Tasks
    /// are handed out as threads become free, in any order. A loop inside another one's task, or beside one, runs on
    /// the calling thread alone.
    @inline(__always)
    public func run(tasks: Int, _ body: (_ worker: Int, _ task: Int) -> Void) {
        let threads = min(count, tasks)
        // The closure outlives no call: the pool is done with it when it returns.
        let isDone =
            threads > 1
            && withoutActuallyEscaping(body) { WorkerPool.shared.run(tasks: tasks, threads: threads, $0) }
        guard !isDone else { return }
        for task in 0..<tasks { body(0, task) }
    }
}
