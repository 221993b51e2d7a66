import FoundationEssentials
import Glibc
import Models

/// A standard stream, written without buffering.
struct Terminal: Sendable {
    static let standardOutput = Terminal(descriptor: STDOUT_FILENO)
    static let standardError = Terminal(descriptor: STDERR_FILENO)

    /// What erases the line that the cursor is on.
    static let clearLine = "\r\u{1B}[K"

    private let descriptor: Int32

    /// Makes the standard streams safe to use.
    static func prepare() {
        // A closed pipe and a file beyond the size limit become failing writes instead.
        for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_IGN) }
        // The next file to be opened would take the number of a closed stream, and would get its text. What replaces the
        // stream fails as the closed one does; only messages are lost.
        for (stream, mode) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_WRONLY)]
        where fcntl(stream, F_GETFD) < 0 {
            _ = open("/dev/null", mode)
        }
    }

    /// Ends the process by SIGPIPE, as is usual when the reader has closed the pipe.
    static func endAsReaderIsGone() -> Never {
        signal(SIGPIPE, SIG_DFL)
        raise(SIGPIPE)
        exit(ExitStatus.inputOutput.rawValue)
    }

    /// Whether the stream is a terminal that can move its cursor.
    var isInteractive: Bool {
        guard isatty(descriptor) == 1 else { return false }
        return getenv("TERM").map { String(cString: $0) != "dumb" } ?? false
    }

    /// Writes a message; a failure is ignored.
    func write(_ text: String) {
        try? writeAll(Array(text.utf8))
    }

    /// Writes a result.
    ///
    /// - Throws: `StreamFailure` when the stream cannot be written, as on a full disk.
    func writeResult(_ text: String) throws(StreamFailure) {
        try writeAll(Array(text.utf8))
    }

    /// Writes a result as one line of JSON with sorted keys.
    ///
    /// - Throws: `StreamFailure` when the stream cannot be written, or what encoding `result` throws.
    func writeResult(json result: some Encodable) throws {
        try writeResult(Self.json(result) + "\n")
    }

    /// A value as JSON with sorted keys and without control characters.
    static func json(
        _ value: some Encodable, formatting: JSONEncoder.OutputFormatting = []
    ) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting.union([.sortedKeys, .withoutEscapingSlashes])
        return try String(decoding: encoder.encode(value), as: UTF8.self).jsonForTerminals
    }

    /// Writes all bytes.
    ///
    /// - Throws: `StreamFailure` when the stream cannot be written.
    func writeAll(_ bytes: [UInt8]) throws(StreamFailure) {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw StreamFailure(code: errno) }
            written += count
        }
    }

    /// A standard stream that cannot be written.
    struct StreamFailure: Error, CustomStringConvertible {
        let code: Int32

        /// Whether the reader has closed the pipe.
        var isReaderGone: Bool { code == EPIPE }

        var description: String {
            "cannot write to standard output: \(String(cString: strerror(code))); check where it goes"
        }
    }
}
