import Foundation

/// Where the tests find what was built and what is in the repository.
enum Installation {
    /// The binary under test, which the build puts beside the test bundle.
    static let binary: String = {
        let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let beside = URL(filePath: bundle).deletingLastPathComponent().appending(path: "omnicache").path
        if FileManager.default.isExecutableFile(atPath: beside) { return beside }
        return "\(repository)/.build/release/omnicache"
    }()

    /// The root of the package.
    static let repository = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
}

/// A process that has been started, with its two streams going to files.
final class Command {
    /// What a finished process left.
    struct Result {
        /// The exit code, or 128 and the number of the signal that ended it.
        let status: Int32
        let output: Data
        let errorText: String

        var outputText: String { String(decoding: output, as: UTF8.self) }
        var outputLines: [String] { outputText.split(separator: "\n").map(String.init) }
        var errorLines: [String] { errorText.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }
    }

    /// The process did not end in time and was killed.
    struct TimedOut: Error {
        let arguments: [String]
        let errorText: String
    }

    private let process = Process()
    private let ended = DispatchSemaphore(value: 0)
    private let streams: URL

    /// Starts `executable` in `directory`, with `environment` beside the environment of the tests.
    ///
    /// Standard output goes to the file or device at `outputPath`, if there is one, and not to the result.
    init(
        _ executable: String, _ arguments: [String], in directory: String, environment: [String: String],
        outputPath: String? = nil
    ) throws {
        streams = FileManager.default.temporaryDirectory.appending(path: "omnicache-streams-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: streams, withIntermediateDirectories: true)
        let names = ["output", "error"]
        for name in names { try Data().write(to: streams.appending(path: name)) }
        process.executableURL = URL(filePath: executable)
        process.arguments = arguments
        process.currentDirectoryURL = URL(filePath: directory)
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(
            forWritingTo: outputPath.map { URL(filePath: $0) } ?? streams.appending(path: "output"))
        process.standardError = try FileHandle(forWritingTo: streams.appending(path: "error"))
        process.terminationHandler = { [ended] _ in ended.signal() }
        try Self.withSignals { try process.run() }
    }

    /// Runs `body` with no signal blocked: a process inherits that, and the threads of tests may block all.
    private static func withSignals(_ body: () throws -> Void) rethrows {
        var (none, before) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try body()
    }

    deinit {
        try? FileManager.default.removeItem(at: streams)
    }

    /// What the process has written to standard error so far.
    var errorText: String {
        (try? String(decoding: Data(contentsOf: streams.appending(path: "error")), as: UTF8.self)) ?? ""
    }

    /// Whether the process still runs.
    var isRunning: Bool { process.isRunning }

    /// Sends a signal.
    func send(_ signal: Int32) {
        kill(process.processIdentifier, signal)
    }

    /// Sends a signal to the process and its children, as a terminal does.
    func sendToGroup(_ signal: Int32) throws {
        guard getpgid(process.processIdentifier) == process.processIdentifier else { throw NoGroup() }
        kill(-process.processIdentifier, signal)
    }

    /// The process has no process group of its own.
    struct NoGroup: Error {}

    /// Waits for the end.
    ///
    /// - Throws: ``TimedOut`` after `seconds`, so that a hang is a failure.
    func wait(seconds: Double = 60) throws -> Result {
        guard ended.wait(timeout: .now() + seconds) == .success else {
            send(SIGKILL)
            throw TimedOut(arguments: process.arguments ?? [], errorText: String(errorText.suffix(200)))
        }
        let signalled = process.terminationReason == .uncaughtSignal
        return Result(
            status: process.terminationStatus + (signalled ? 128 : 0),
            output: try Data(contentsOf: streams.appending(path: "output")), errorText: errorText)
    }
}

/// What was waited for never came.
struct NeverHappened: Error {}

/// Waits until something is true, for half a minute at most.
func wait(for condition: () throws -> Bool) throws {
    let deadline = Date().addingTimeInterval(30)
    while try !condition() {
        guard Date() < deadline else { throw NeverHappened() }
        usleep(2000)
    }
}
