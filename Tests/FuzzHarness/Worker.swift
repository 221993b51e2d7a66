import Foundation
import Glibc

/// What a worker is to do; it comes to the process as its only argument.
public struct Assignment: Codable, Sendable {
    /// The names of the readers, in the order of the shared tallies.
    var readers: [String]
    var seed: UInt64
    /// Which of how many workers it is.
    var slot: Int
    var slots: Int
    /// The first input's number that nobody tries.
    var end: Int
    /// Only the input of this number of each reader.
    var only: Int?
    /// Where to go on: the position of the input that ended the worker before.
    var after: SharedProgress.Position?
    /// Only this input's file, rather than a share of all inputs.
    var file: String?
    /// A folder of its own, and the file of ``SharedProgress``.
    var folder: String
    var progress: String
    var limits: FuzzLimits
    /// The binary that is tried with one input in ``commandInterval``; nil for none.
    var binary: String?
    var commandInterval: Int
}

/// A process that tries inputs, one after another, until it is through, is stopped, or finds a fault.
public struct Worker {
    /// The exit code after a fault that the worker itself has noticed, and told in ``SharedProgress/text``.
    static let faultStatus: Int32 = 3
    /// The exit code when the harness itself has failed, which ``SharedProgress/text`` explains.
    static let failureStatus: Int32 = 4
    /// Inputs of one reader in a row, before the next reader's turn.
    static let stretch = 50

    private let assignment: Assignment
    private let readers: [Reader]
    private let trial: Trial
    private let progress: SharedProgress
    private let supervisor = getppid()
    private var subjects: [Int: Subject] = [:]

    /// Takes on an assignment.
    ///
    /// - Parameters:
    ///   - text: the process's argument.
    ///   - readers: all that there are.
    ///   - isDocumented: whether a reader may throw an error.
    /// - Throws: what decoding the assignment throws, or that there is no such reader.
    public init(
        _ text: String, readers: [Reader], isDocumented: @escaping @Sendable (any Error) -> Bool
    ) throws {
        assignment = try JSONDecoder().decode(Assignment.self, from: Data(text.utf8))
        self.readers = try assignment.readers.map { name in
            guard let reader = readers.first(where: { $0.name == name }) else { throw Breach("no reader \(name)") }
            return reader
        }
        trial = Trial(isDocumented: isDocumented, limits: assignment.limits)
        progress = try SharedProgress(path: assignment.progress)
    }

    /// Does the work, and ends the process.
    public mutating func run() -> Never {
        do {
            try work()
            exit(0)
        } catch {
            progress.text = "\(error)"
            exit(Self.failureStatus)
        }
    }

    private mutating func work() throws {
        // A crash leaves no file behind.
        var limit = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
        if let bytes = assignment.limits.addressSpace {
            limit = rlimit(rlim_cur: rlim_t(bytes), rlim_max: rlim_t(bytes))
            setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
        }
        if let file = assignment.file {
            let input = [UInt8](try Data(contentsOf: URL(filePath: file)))
            let position = SharedProgress.Position(reader: 0, number: 0)
            try attempt(input, at: position, isSound: false, runsCommand: assignment.binary != nil)
            return
        }
        guard let only = assignment.only else { return try runShare() }
        for reader in readers.indices { try attempt(only, of: reader, runsCommand: true) }
    }

    /// Readers take turns of ``stretch`` inputs; workers share each turn's.
    private mutating func runShare() throws {
        let block = Self.stretch * assignment.slots
        var round = assignment.after.map { $0.number / block } ?? 0
        var first = assignment.after
        while true {
            let start = round * block + assignment.slot * Self.stretch
            guard start < assignment.end else { return }
            for reader in (first?.reader ?? 0)..<readers.count {
                let next = first.map { $0.number + 1 } ?? start
                first = nil
                for number in next..<max(next, min(start + Self.stretch, assignment.end)) {
                    if progress.isStopping || getppid() != supervisor { return }
                    try attempt(number, of: reader, runsCommand: number % assignment.commandInterval == 0)
                }
            }
            round += 1
        }
    }

    private mutating func subject(_ reader: Int) throws -> Subject {
        if let subject = subjects[reader] { return subject }
        let folder = "\(assignment.folder)/\(readers[reader].name)"
        let subject = try readers[reader].prepared(in: folder)
        subjects[reader] = subject
        return subject
    }

    private mutating func attempt(_ number: Int, of reader: Int, runsCommand: Bool) throws {
        let subject = try subject(reader)
        try attempt(
            subject.input(number, reader: readers[reader].name, seed: assignment.seed),
            at: SharedProgress.Position(reader: reader, number: number), isSound: number < subject.seeds.count,
            runsCommand: runsCommand)
    }

    private mutating func attempt(
        _ input: [UInt8], at position: SharedProgress.Position, isSound: Bool, runsCommand: Bool
    ) throws {
        let subject = try subject(position.reader)
        // Ends a worker that hangs when there is nobody left to notice.
        alarm(UInt32(4 * trial.limits.seconds) + 60)
        progress.begin(position)
        try Self.write(input, to: subject.path)
        let start = Clock.now
        let verdict = trial.read(subject, isSound: isSound)
        let end = Clock.now
        if case .fault(let kind, let text) = verdict { endWith(kind, text) }
        var ranCommand = false
        if runsCommand, let binary = assignment.binary, subject.command != nil {
            progress.begin(position)
            ranCommand = true
            let environment = ProcessInfo.processInfo.environment.map { "\($0)=\($1)" }
            let verdict = try trial.command(
                subject, binary: binary, folder: assignment.folder, environment: environment)
            if case .fault(let kind, let text) = verdict { endWith(kind, text) }
        }
        var isAccepted = false
        if case .accepted = verdict { isAccepted = true }
        progress.finish(accepted: isAccepted, ranCommand: ranCommand, seconds: (start, end))
    }

    private func endWith(_ kind: Fault.Kind, _ text: String) -> Never {
        progress.text = "\(kind.rawValue) \(Fault.oneLine(text))"
        progress.rest()
        exit(Self.faultStatus)
    }

    private static func write(_ bytes: [UInt8], to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        defer { close(descriptor) }
        guard descriptor >= 0, Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
            throw ChildProcess.CannotStart(description: "cannot write \(path)")
        }
    }
}
