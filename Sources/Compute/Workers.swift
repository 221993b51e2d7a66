import COpenBLASLoader
import Glibc
import Synchronization

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
    /// are handed out as threads become free, in any order. A loop inside another one's task, or at the same time as
    /// another, runs on the calling thread alone.
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

/// The threads that help the caller of a parallel loop.
///
/// A forward is some hundred loops of a millisecond or less, one after another. So a thread that has nothing to do
/// spins for a moment before it goes to sleep: waking it would take longer than many a loop. And the pool does not wait
/// for a thread that the system does not run: it joins a loop or misses it.
final class WorkerPool: @unchecked Sendable {
    typealias Body = (_ worker: Int, _ task: Int) -> Void

    /// The one pool of the process; its threads are started when they are first needed.
    static let shared = WorkerPool()

    /// How long an idle thread spins before it sleeps, in nanoseconds.
    private static let spinTime = 50_000
    /// How many times a spinning thread checks before it yields to others.
    private static let checksPerYield = 100

    private let gate = Atomic<Gate>(Gate())

    // The loop that is being run. Written by its owner while the gate is shut and no thread is inside.
    private var tasks = 0
    private var body: Body = { _, _ in }
    private let next = Atomic<Int>(0)

    /// Whether a loop is being run.
    private let isTaken = Atomic<Bool>(false)
    /// How many threads there are; written by the owner of the loop.
    private var threadCount = 0
    /// The threads that sleep, or are about to.
    private let sleepers = Atomic<Int>(0)
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let wakeUp = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    private init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(wakeUp, nil)
    }

    /// Runs `body(worker, task)` for all tasks on the calling thread, worker 0, and up to `threads` − 1 others.
    ///
    /// - Returns: false, with nothing done, if another loop is being run.
    func run(tasks: Int, threads: Int, _ body: @escaping Body) -> Bool {
        guard isTaken.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged else {
            return false
        }
        let helpers = start(min(threads, Int(UInt16.max)) - 1)
        self.tasks = tasks
        self.body = body
        next.store(0, ordering: .relaxed)
        let shut = gate.load(ordering: .relaxed)
        gate.store(shut.opened(threads: UInt16(helpers + 1)), ordering: .sequentiallyConsistent)
        if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
            pthread_mutex_lock(mutex)
            pthread_cond_broadcast(wakeUp)
            pthread_mutex_unlock(mutex)
        }
        work(as: 0)
        change { $0.shut }
        spin(for: .max) { gate.load(ordering: .acquiring).inside == 0 }
        self.body = { _, _ in }
        isTaken.store(false, ordering: .releasing)
        return true
    }

    /// Takes tasks until there are none.
    private func work(as worker: Int) {
        let (tasks, body) = (tasks, body)
        while true {
            let task = next.add(1, ordering: .relaxed).oldValue
            guard task < tasks else { return }
            body(worker, task)
        }
    }

    /// Changes the gate, unless `change` says nil.
    ///
    /// - Returns: whether it was changed.
    @discardableResult
    private func change(_ change: (Gate) -> Gate?) -> Bool {
        var old = gate.load(ordering: .relaxed)
        while let new = change(old) {
            let (exchanged, original) = gate.compareExchange(
                expected: old, desired: new, ordering: .acquiringAndReleasing)
            if exchanged { return true }
            old = original
        }
        return false
    }

    // MARK: - Threads

    /// Starts threads until there are `wanted`, as far as the system allows.
    ///
    /// - Returns: how many of those there are.
    private func start(_ wanted: Int) -> Int {
        while threadCount < wanted {
            let helper = Unmanaged.passRetained(Helper(pool: self, worker: UInt16(threadCount + 1)))
            var thread = pthread_t()
            let status = pthread_create(
                &thread, nil,
                { argument in
                    guard let argument else { return nil }
                    Unmanaged<Helper>.fromOpaque(argument).takeRetainedValue().live()
                }, helper.toOpaque())
            guard status == 0 else {
                helper.release()
                break
            }
            pthread_detach(thread)
            threadCount += 1
        }
        return min(wanted, threadCount)
    }

    /// One of the threads.
    private final class Helper {
        private let pool: WorkerPool
        private let worker: UInt16

        init(pool: WorkerPool, worker: UInt16) {
            self.pool = pool
            self.worker = worker
        }

        /// Takes part in one loop after another, for as long as the process lives.
        func live() -> Never {
            var seen: UInt32 = 0
            while true {
                seen = pool.awaitLoop(after: seen)
                let isInside = pool.change { [worker] gate in gate.lets(worker, into: seen) ? gate.joined : nil }
                guard isInside else { continue }
                pool.work(as: Int(worker))
                pool.change { $0.left }
            }
        }
    }

    /// Waits until the gate opens for another loop than number `seen`.
    ///
    /// - Returns: the loop's number.
    private func awaitLoop(after seen: UInt32) -> UInt32 {
        var found = seen
        func isNew() -> Bool {
            found = gate.load(ordering: .sequentiallyConsistent).number
            return found != seen
        }
        guard !spin(for: Self.spinTime, until: isNew) else { return found }
        pthread_mutex_lock(mutex)
        sleepers.add(1, ordering: .sequentiallyConsistent)
        while !isNew() { pthread_cond_wait(wakeUp, mutex) }
        sleepers.subtract(1, ordering: .sequentiallyConsistent)
        pthread_mutex_unlock(mutex)
        return found
    }

    /// Checks again and again until something is there, or for `duration` nanoseconds; yields now and then.
    ///
    /// - Returns: whether it is there.
    @discardableResult
    private func spin(for duration: Int, until isThere: () -> Bool) -> Bool {
        var start: Int?
        while true {
            for _ in 0..<Self.checksPerYield where isThere() { return true }
            sched_yield()
            guard duration < .max else { continue }
            var time = timespec()
            clock_gettime(CLOCK_MONOTONIC, &time)
            let now = time.tv_sec * 1_000_000_000 + time.tv_nsec
            guard now - (start ?? now) < duration else { return isThere() }
            start = start ?? now
        }
    }
}

/// What a thread must know to join a loop, in one word that can be exchanged atomically.
private struct Gate: AtomicRepresentable {
    private(set) var number: UInt32 = 0
    /// How many threads may take part: 0 while the gate is shut.
    private var threads: UInt16 = 0
    /// How many threads take part, the owner not counted.
    private(set) var inside: UInt16 = 0

    func opened(threads: UInt16) -> Gate { Gate(number: number &+ 1, threads: threads, inside: 0) }
    var shut: Gate { Gate(number: number, threads: 0, inside: inside) }
    var joined: Gate { Gate(number: number, threads: threads, inside: inside + 1) }
    var left: Gate { Gate(number: number, threads: threads, inside: inside - 1) }

    /// Whether `worker` may join loop `number`.
    func lets(_ worker: UInt16, into number: UInt32) -> Bool { self.number == number && worker < threads }

    // MARK: - As one word

    typealias AtomicRepresentation = UInt64.AtomicRepresentation

    static func encodeAtomicRepresentation(_ gate: consuming Gate) -> AtomicRepresentation {
        UInt64.encodeAtomicRepresentation(UInt64(gate.number) << 32 | UInt64(gate.threads) << 16 | UInt64(gate.inside))
    }

    static func decodeAtomicRepresentation(_ storage: consuming AtomicRepresentation) -> Gate {
        let word = UInt64.decodeAtomicRepresentation(storage)
        return Gate(
            number: UInt32(truncatingIfNeeded: word >> 32), threads: UInt16(truncatingIfNeeded: word >> 16),
            inside: UInt16(truncatingIfNeeded: word))
    }
}
