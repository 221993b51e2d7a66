import Foundation
import Glibc

/// A process that has been started, with its output and errors going to files.
final class ChildProcess {
    /// How a process ended.
    enum Ending: Equatable {
        case exited(Int32)
        case signalled(Int32)
        /// It did not end in time and was killed.
        case timedOut
    }

    /// The system would not start the process.
    struct CannotStart: Error, CustomStringConvertible {
        let description: String
    }

    /// The most memory that it had at once, in bytes; known when it has ended.
    private(set) var peakMemory = 0
    private let identifier: pid_t
    private var ending: Ending?

    /// Starts `executable`.
    ///
    /// - Parameters:
    ///   - executable: its path.
    ///   - arguments: without the name.
    ///   - environment: all variables, as `NAME=value`.
    ///   - output: the file that standard output goes to, made anew.
    ///   - error: the file that standard error goes to, made anew.
    /// - Throws: ``CannotStart``.
    init(
        _ executable: String, _ arguments: [String], environment: [String], output: String, error: String
    ) throws(CannotStart) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        let flags = O_WRONLY | O_CREAT | O_TRUNC
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, flags, 0o600)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, error, flags, 0o600)
        var identifier = pid_t()
        let argumentList = ([executable] + arguments).map { strdup($0) } + [nil]
        let variables = environment.map { strdup($0) } + [nil]
        defer { for text in argumentList + variables { free(text) } }
        let code = posix_spawn(&identifier, executable, &actions, nil, argumentList, variables)
        guard code == 0 else {
            throw CannotStart(description: "cannot start \(executable): \(String(cString: strerror(code)))")
        }
        self.identifier = identifier
    }

    /// How it ended; nil while it runs.
    func poll() -> Ending? {
        if let ending { return ending }
        var (status, usage) = (Int32(0), rusage())
        guard wait4(identifier, &status, WNOHANG, &usage) == identifier else { return nil }
        peakMemory = usage.ru_maxrss * 1024
        let signal = status & 0x7F
        ending = signal == 0 ? .exited(status >> 8 & 0xFF) : .signalled(signal)
        return ending
    }

    /// Kills it, and waits until it is gone.
    func end() {
        kill(identifier, SIGKILL)
        while poll() == nil { usleep(1000) }
    }

    /// Waits for its end, for `seconds` at most.
    func wait(seconds: Double) -> Ending {
        let deadline = Clock.now + UInt64(seconds * 1e9)
        while true {
            if let ending = poll() { return ending }
            guard Clock.now < deadline else {
                end()
                return .timedOut
            }
            usleep(500)
        }
    }
}

/// The time since the machine was started, the same for all processes.
enum Clock {
    /// In nanoseconds.
    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

/// The programs that a build leaves in one folder.
public enum BuiltProgram {
    /// The path of program `name`, beside the one that asks; nil if it has not been built.
    public static func path(_ name: String) -> String? {
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let path = URL(filePath: program).deletingLastPathComponent().appending(path: name).path
        return FileManager.default.isExecutableFile(atPath: path) ? path : nil
    }
}
