import Glibc

/// One of the two standard streams, written to directly.
struct Terminal: Sendable {
    static let standardOutput = Terminal(descriptor: STDOUT_FILENO)
    static let standardError = Terminal(descriptor: STDERR_FILENO)

    private let descriptor: Int32

    /// Whether a person is watching a terminal that understands cursor movements.
    var isInteractive: Bool {
        guard isatty(descriptor) == 1 else { return false }
        return getenv("TERM").map { String(cString: $0) != "dumb" } ?? false
    }

    /// Writes text; a stream that nobody reads any more is not worth failing for.
    func write(_ text: String) {
        try? writeAll(Array(text.utf8))
    }

    /// Writes all bytes.
    ///
    /// - Throws: `StreamFailure` when the stream does not take them.
    func writeAll(_ bytes: [UInt8]) throws {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw StreamFailure(reason: String(cString: strerror(errno))) }
            written += count
        }
    }

    /// A standard stream that does not take what is written to it.
    struct StreamFailure: Error {
        let reason: String
    }
}
