import Glibc
import Synchronization

/// What a worker is doing, in memory that it shares with its supervisor: still to be read when the worker has crashed.
final class SharedProgress: @unchecked Sendable {
    /// Where a worker is.
    struct Position: Codable, Equatable {
        /// The reader's place in the list.
        var reader: Int
        /// The input's number.
        var number: Int
    }

    /// What has come out of one reader.
    struct Tally {
        var inputs = 0
        var accepted = 0
        var commands = 0
        /// The longest time of one input, in nanoseconds, and its number.
        var slowest = 0
        var slowestNumber = 0

        static func + (a: Tally, b: Tally) -> Tally {
            let slower = a.slowest >= b.slowest ? a : b
            return Tally(
                inputs: a.inputs + b.inputs, accepted: a.accepted + b.accepted, commands: a.commands + b.commands,
                slowest: slower.slowest, slowestNumber: slower.slowestNumber)
        }
    }

    private static let size = 1 << 14
    private static let textOffset = 1 << 13
    private static let tallyWords = 5
    /// Stop, reader, number, start.
    private static let headWords = 4

    private let memory: UnsafeMutableRawPointer
    private let words: UnsafeMutablePointer<Atomic<Int>>

    /// Maps the file at `path`, which is made if it is not there.
    init(path: String) throws {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(descriptor) }
        guard descriptor >= 0, ftruncate(descriptor, off_t(Self.size)) == 0,
            let memory = mmap(nil, Self.size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), memory != MAP_FAILED
        else { throw ChildProcess.CannotStart(description: "cannot map \(path)") }
        self.memory = memory
        words = memory.bindMemory(to: Atomic<Int>.self, capacity: Self.textOffset / MemoryLayout<Int>.stride)
    }

    deinit { munmap(memory, Self.size) }

    /// Whether the worker is to end.
    var isStopping: Bool {
        get { self[0] != 0 }
        set { self[0] = newValue ? 1 : 0 }
    }

    /// When the present input was begun, on ``Clock``; nil between inputs.
    var start: UInt64? { self[3] == 0 ? nil : UInt64(self[3]) }

    /// The input that was begun last; nil before the first.
    var position: Position? { self[1] == 0 ? nil : Position(reader: self[1] - 1, number: self[2]) }

    /// Notes that an input is begun, or a new part of its trial.
    func begin(_ position: Position) {
        self[1] = position.reader + 1
        self[2] = position.number
        self[3] = Int(Clock.now)
    }

    /// Notes that an input is through.
    func finish(accepted: Bool, ranCommand: Bool, seconds: (start: UInt64, end: UInt64)) {
        guard let position else { return }
        let base = Self.headWords + position.reader * Self.tallyWords
        self[base] += 1
        self[base + 1] += accepted ? 1 : 0
        self[base + 2] += ranCommand ? 1 : 0
        let taken = Int(seconds.end - seconds.start)
        if taken > self[base + 3] { (self[base + 3], self[base + 4]) = (taken, position.number) }
        self[3] = 0
    }

    /// Notes that nothing is being tried, after a fault.
    func rest() { self[3] = 0 }

    /// What has come out of reader number `reader`.
    func tally(_ reader: Int) -> Tally {
        let base = Self.headWords + reader * Self.tallyWords
        return Tally(
            inputs: self[base], accepted: self[base + 1], commands: self[base + 2], slowest: self[base + 3],
            slowestNumber: self[base + 4])
    }

    /// What a worker says of the fault for which it ends; a few thousand bytes of it are kept.
    var text: String {
        get {
            let bytes = UnsafeRawBufferPointer(start: memory + Self.textOffset, count: Self.size - Self.textOffset)
            return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        set {
            let bytes = UnsafeMutableRawBufferPointer(
                start: memory + Self.textOffset, count: Self.size - Self.textOffset)
            bytes.copyBytes(from: Array(newValue.utf8).prefix(bytes.count - 1) + [0])
        }
    }

    /// One processor's writes become another's reads; nobody but the worker writes, except to word 0.
    private subscript(index: Int) -> Int {
        get { words[index].load(ordering: .acquiring) }
        set { words[index].store(newValue, ordering: .releasing) }
    }
}
