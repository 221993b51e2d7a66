import Foundation
import Glibc

/// Tries readers with damaged files in processes of their own, and says which input did what.
public struct Fuzzer {
    /// How much is tried, and where.
    public struct Settings: Sendable {
        /// From which, and from its number, each input is made.
        public var seed: UInt64 = 1
        /// When to end; nil for when all inputs have been tried.
        public var seconds: Double?
        /// The inputs of all readers together; nil for as many as there is time for.
        public var inputs: Int?
        /// Processes that work at a time.
        public var workers = 2
        /// Only this input of each reader.
        public var number: Int?
        /// Faults after which nothing more is tried.
        public var mostFaults = 20
        /// How long an input is made smaller, in seconds: that of each reader's first fault of a kind.
        public var minimiserSeconds = 5.0
        /// What one input may take.
        public var limits = FuzzLimits()
        /// The binary to try with one input in ``commandInterval``; nil for none.
        public var binary: String?
        /// Of how many inputs one is given to the binary, too.
        public var commandInterval = 500
        /// The folder for inputs that show faults.
        public var faults = "fuzz-faults"
        /// The arguments that make this executable a worker, before the assignment.
        public var workerArguments: [String] = []

        public init() {}
    }

    private let readers: [Reader]
    private let settings: Settings
    private let scratch: String
    private let environment: [String]
    private var slotCount: Int { settings.number == nil ? settings.workers : 1 }

    /// Prepares to try `readers`.
    public init(_ readers: [Reader], _ settings: Settings) throws {
        self.readers = readers
        self.settings = settings
        // In memory where there is such a place: a disk's file system writes a file out that is written over and over.
        let places = ["/dev/shm", FileManager.default.temporaryDirectory.path]
        let place = places.first(where: FileManager.default.isWritableFile) ?? "."
        scratch = "\(place)/omnicache-fuzz-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: scratch, withIntermediateDirectories: true)
        environment = ProcessInfo.processInfo.environment.merging([
            "XDG_CACHE_HOME": "\(scratch)/cache",
            // What crashes on purpose or not is told in one line, not in a page.
            "SWIFT_BACKTRACE": "enable=no",
        ]) { $1 }.map { "\($0)=\($1)" }
    }

    /// Does all of the work; `onFault` is told of each fault with the paths of its input and of a smaller one.
    ///
    /// - Returns: what has been tried, in lines for people, and the number of faults.
    public func run(onFault: (Fault, _ path: String, _ smaller: String?) -> Void) throws -> (
        report: String, faults: Int
    ) {
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        let begin = Clock.now
        var slots = try (0..<slotCount).map { try Slot(fuzzer: self, index: $0) }
        var faults = 0
        var known: Set<[String]> = []
        var isEnding = false
        while slots.contains(where: { $0.process != nil }) {
            usleep(10_000)
            let elapsed = Double(Clock.now - begin) / 1e9
            if !isEnding, settings.seconds.map({ elapsed >= $0 }) ?? false || faults >= settings.mostFaults {
                isEnding = true
                for slot in slots { slot.progress.isStopping = true }
            }
            for index in slots.indices {
                guard let (kind, detail) = try slots[index].look(limit: settings.limits.seconds) else { continue }
                guard let position = slots[index].progress.position else {
                    throw Breach("a worker ended before its first input: \(detail)")
                }
                let fault = Fault(
                    reader: readers[position.reader].name, number: position.number, kind: kind, detail: detail)
                faults += 1
                let isNew = known.insert([fault.reader, fault.kind.rawValue]).inserted
                let paths = try keep(fault, minimises: isNew)
                onFault(fault, paths.whole, paths.smaller)
                try slots[index].start(self, after: position)
            }
        }
        return (report(slots.map(\.progress), seconds: Double(Clock.now - begin) / 1e9), faults)
    }

    private func report(_ progress: [SharedProgress], seconds: Double) -> String {
        var total = SharedProgress.Tally()
        var lines = ["reader            inputs  accepted  commands  slowest"]
        func line(_ name: String, _ tally: SharedProgress.Tally, _ ending: String) -> String {
            func padded(_ text: String, _ width: Int) -> String {
                String(repeating: " ", count: max(0, width - text.count)) + text
            }
            let share = tally.inputs == 0 ? 0 : 100 * tally.accepted / tally.inputs
            return name + String(repeating: " ", count: max(1, 16 - name.count)) + padded("\(tally.inputs)", 8)
                + padded("\(share) %", 10) + padded("\(tally.commands)", 10) + "  " + ending
        }
        for (index, reader) in readers.enumerated() {
            let tally = progress.reduce(SharedProgress.Tally()) { $0 + $1.tally(index) }
            total = total + tally
            let time = Double(tally.slowest / 10_000) / 100
            lines.append(line(reader.name, tally, "\(time) ms (input \(tally.slowestNumber))"))
        }
        let rounded = Double(Int(seconds * 10)) / 10
        lines.append(line("all", total, "\(rounded) s in all, seed \(settings.seed)"))
        return lines.joined(separator: "\n")
    }

    // MARK: - Workers

    /// A place for one worker after another.
    private struct Slot {
        let progress: SharedProgress
        private(set) var process: ChildProcess?
        private let index: Int
        private let folder: String

        init(fuzzer: Fuzzer, index: Int) throws {
            self.index = index
            folder = "\(fuzzer.scratch)/worker-\(index)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            progress = try SharedProgress(path: "\(folder)/progress")
            try start(fuzzer, after: nil)
        }

        mutating func start(_ fuzzer: Fuzzer, after position: SharedProgress.Position?) throws {
            process = nil
            guard fuzzer.settings.number == nil || position == nil else { return }
            process = try fuzzer.worker(fuzzer.assignment(slot: index, folder: folder, after: position), folder: folder)
        }

        /// Sees to the worker: a fault if it has shown one, and no process if it is through.
        mutating func look(limit: Double) throws -> (Fault.Kind, String)? {
            guard let process else { return nil }
            guard let ending = process.poll() else {
                // A command's time is kept by the worker, which is given a moment to say so.
                guard let start = progress.start, Clock.now > start, Clock.now - start > UInt64((limit + 1) * 1e9)
                else { return nil }
                process.end()
                self.process = nil
                return (.hang, "still at it after \(limit + 1) s")
            }
            self.process = nil
            if ending == .exited(Worker.failureStatus) { throw Breach("a worker failed: \(progress.text)") }
            return ending == .exited(0) ? nil : Fuzzer.fault(ending, progress, errors: "\(folder)/worker-errors")
        }
    }

    /// What the end of a worker says.
    private static func fault(
        _ ending: ChildProcess.Ending, _ progress: SharedProgress, errors: String
    ) -> (Fault.Kind, String) {
        let text = String(decoding: FileManager.default.contents(atPath: errors) ?? Data(), as: UTF8.self)
        let lastWords = text.split(separator: "\n").first { $0.contains("atal error") || $0.contains("ERROR:") }
        switch ending {
        case .exited(Worker.faultStatus):
            let parts = progress.text.split(separator: " ", maxSplits: 1)
            let kind = parts.first.flatMap { Fault.Kind(rawValue: String($0)) }
            return (kind ?? .outcome, parts.last.map(String.init) ?? "")
        case .exited(let code):
            return (.crash, Fault.oneLine("exit code \(code) \(lastWords ?? Substring(text.suffix(200)))"))
        case .signalled(let signal):
            let name = strsignal(signal).map { String(cString: $0) } ?? ""
            return (.crash, Fault.oneLine("signal \(signal), \(name) \(lastWords ?? "")"))
        case .timedOut:
            return (.hang, "does not end")
        }
    }

    private func assignment(slot: Int, folder: String, after position: SharedProgress.Position?) -> Assignment {
        let each = settings.inputs.map { ($0 + readers.count - 1) / readers.count }
        return Assignment(
            readers: readers.map(\.name), seed: settings.seed, slot: slot,
            slots: slotCount, end: each ?? Int(Int32.max), only: settings.number,
            after: position, file: nil, folder: folder, progress: "\(folder)/progress", limits: settings.limits,
            binary: settings.binary, commandInterval: settings.commandInterval)
    }

    private func worker(_ assignment: Assignment, folder: String) throws -> ChildProcess {
        let text = String(decoding: try JSONEncoder().encode(assignment), as: UTF8.self)
        return try ChildProcess(
            "/proc/self/exe", settings.workerArguments + [text], environment: environment,
            output: "\(folder)/worker-output", error: "\(folder)/worker-errors")
    }

    // MARK: - Faults

    /// Keeps the input of a fault, and a smaller one.
    private func keep(_ fault: Fault, minimises: Bool) throws -> (whole: String, smaller: String?) {
        guard let reader = readers.first(where: { $0.name == fault.reader }) else { throw Breach("no reader") }
        try FileManager.default.createDirectory(atPath: settings.faults, withIntermediateDirectories: true)
        let folder = "\(scratch)/minimiser"
        let subject = try reader.prepared(in: folder)
        let input = subject.input(fault.number, reader: reader.name, seed: settings.seed)
        let whole = "\(settings.faults)/\(reader.name)-\(settings.seed)-\(fault.number)"
        try Data(input).write(to: URL(filePath: whole))
        guard minimises else { return (whole, nil) }
        let deadline = Clock.now + UInt64(settings.minimiserSeconds * 1e9)
        let smaller = try Minimiser { candidate in
            guard Clock.now < deadline else { return nil }
            return try shows(fault, candidate, folder: folder)
        }.minimised(input)
        try Data(smaller).write(to: URL(filePath: whole + ".small"))
        return (whole, whole + ".small")
    }

    /// Whether an input shows a fault of the same kind.
    private func shows(_ fault: Fault, _ input: [UInt8], folder: String) throws -> Bool {
        let file = "\(folder)/candidate"
        try Data(input).write(to: URL(filePath: file))
        let progress = try SharedProgress(path: "\(folder)/progress")
        var assignment = assignment(slot: 0, folder: folder, after: nil)
        assignment.readers = [fault.reader]
        assignment.file = file
        assignment.binary = fault.kind == .command ? settings.binary : nil
        let process = try worker(assignment, folder: folder)
        let ending = process.wait(seconds: settings.limits.seconds + 1)
        guard ending != .exited(0) else { return false }
        return Self.fault(ending, progress, errors: "\(folder)/worker-errors").0 == fault.kind
    }
}

/// Makes an input smaller for as long as its fault stays: leaves out stretches, halves of it at first, single bytes at
/// last (the idea of Zeller's and Hildebrandt's delta debugging, IEEE TSE 28(2), 2002).
struct Minimiser {
    /// Whether a smaller input still shows the fault; nil when there is no more time.
    let showsFault: ([UInt8]) throws -> Bool?

    /// The smallest input that was found.
    func minimised(_ input: [UInt8]) throws -> [UInt8] {
        var input = input
        var length = input.count / 2
        while length > 0 {
            var start = 0
            while start < input.count {
                var candidate = input
                candidate.removeSubrange(start..<min(start + length, input.count))
                guard let stays = try showsFault(candidate) else { return input }
                if stays { input = candidate } else { start += length }
            }
            length = min(length, input.count) / 2
        }
        return input
    }
}
