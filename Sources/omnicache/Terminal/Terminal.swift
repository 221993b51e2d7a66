import FoundationEssentials
import Glibc
import Models

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

    /// Writes a message; one that cannot be told is not worth failing for.
    func write(_ text: String) {
        try? writeAll(Array(text.utf8))
    }

    /// Writes a result; a reader that has gone away has seen enough.
    ///
    /// - Throws: `StreamFailure` when the stream does not take it, as on a full disk.
    func writeResult(_ text: String) throws(StreamFailure) {
        do throws(StreamFailure) {
            try writeAll(Array(text.utf8))
        } catch {
            guard error.code == EPIPE else { throw error }
        }
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

        var description: String {
            "standard output cannot be written: \(String(cString: strerror(code))); check where it goes"
        }
    }
}
