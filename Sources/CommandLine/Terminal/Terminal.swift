import FoundationEssentials
import Glibc
import Models

/// One of the two standard streams, written to directly.
struct Terminal: Sendable {
    static let standardOutput = Terminal(descriptor: STDOUT_FILENO)
    static let standardError = Terminal(descriptor: STDERR_FILENO)

    private let descriptor: Int32

    /// Makes the streams safe to use, whatever they are.
    static func prepare() {
        // A reader that goes away and a file beyond the size limit show up as failing writes instead.
        for number in [SIGPIPE, SIGXFSZ] { signal(number, SIG_IGN) }
        // The next file that is opened takes the place of a stream that is closed, and would get what is told there. What
        // stands in its place fails as the closed one does; only messages are lost.
        for (stream, mode) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_WRONLY)]
        where fcntl(stream, F_GETFD) < 0 {
            _ = open("/dev/null", mode)
        }
    }

    /// Ends the process as others end whose reader has gone away: by SIGPIPE, without a word.
    static func endAsReaderIsGone() -> Never {
        signal(SIGPIPE, SIG_DFL)
        raise(SIGPIPE)
        exit(ExitStatus.inputOutput.rawValue)
    }

    /// Whether a person is watching a terminal that understands cursor movements.
    var isInteractive: Bool {
        guard isatty(descriptor) == 1 else { return false }
        return getenv("TERM").map { String(cString: $0) != "dumb" } ?? false
    }

    /// Writes a message; one that cannot be told is not worth failing for.
    func write(_ text: String) {
        try? writeAll(Array(text.utf8))
    }

    /// Writes a result.
    ///
    /// - Throws: `StreamFailure` when the stream does not take it, as on a full disk.
    func writeResult(_ text: String) throws(StreamFailure) {
        try writeAll(Array(text.utf8))
    }

    /// Writes a result as one line of JSON, its keys in order.
    ///
    /// - Throws: `StreamFailure` when the stream does not take it, or what encoding `result` throws.
    func writeResult(json result: some Encodable) throws {
        try writeResult(Self.json(result) + "\n")
    }

    /// A value as JSON, its keys in order, without any character that steers a terminal.
    static func json(
        _ value: some Encodable, formatting: JSONEncoder.OutputFormatting = []
    ) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting.union([.sortedKeys, .withoutEscapingSlashes])
        return try String(decoding: encoder.encode(value), as: UTF8.self).jsonForTerminals
    }

    /// Writes all bytes.
    ///
    /// - Throws: `StreamFailure` when the stream does not take them.
    func writeAll(_ bytes: [UInt8]) throws(StreamFailure) {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw StreamFailure(code: errno) }
            written += count
        }
    }

    /// A standard stream that does not take what is written to it.
    struct StreamFailure: Error, CustomStringConvertible {
        let code: Int32

        /// Whether nobody reads any more.
        var isReaderGone: Bool { code == EPIPE }

        var description: String {
            "standard output cannot be written: \(String(cString: strerror(code))); check where it goes"
        }
    }
}
