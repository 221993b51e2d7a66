import Media
import Models
import Pipeline

/// Where the files of a report go: several beside each other, whose paths begin alike, as `PREFIX.json` and
/// `PREFIX.html`.
public struct ReportFiles<Content>: Sendable {
    /// A file: what follows the prefix, and how its bytes are made of the content.
    public typealias Kind = (suffix: String, bytes: @Sendable (Content) throws -> [UInt8])

    private let prefix: String
    private let kinds: [Kind]
    private let replaces: Bool

    /// Joins a prefix, the files in the order of writing, and a policy.
    ///
    /// - Parameters:
    ///   - prefix: what all paths begin with.
    ///   - example: a prefix that makes sense, for the message about one that does not.
    ///   - kinds: the files.
    ///   - replaces: whether files that are there are replaced.
    /// - Throws: ``PipelineError/usage(_:)`` when the prefix names no file.
    public init(prefix: String, example: String, kinds: [Kind], replaces: Bool) throws(PipelineError) {
        guard !prefix.isEmpty, !prefix.hasSuffix("/"), prefix != "-" else {
            throw .usage(
                "--output '\(prefix)': several files are written; give what their paths begin with, as '\(example)'")
        }
        self.prefix = prefix
        self.kinds = kinds
        self.replaces = replaces
    }

    /// All paths.
    public var paths: [String] { kinds.map { prefix + $0.suffix } }

    /// Finds out, before any work is done, whether the files can be made.
    ///
    /// - Throws: ``PipelineError/cannotCreate(_:)`` when one is there already or the place cannot be written to.
    public func check() throws(PipelineError) {
        for path in paths { _ = try Standing(of: path, hash: "", replaces: replaces) { _ in nil } }
    }

    /// Makes all files, then writes them, each whole or not at all.
    ///
    /// - Returns: Their paths.
    /// - Throws: ``FileError``, and what making them throws.
    public func write(_ content: Content) throws -> [String] {
        let files = try kinds.map { try $0.bytes(content) }
        try WeightFiles.checkUnchanged()
        for (path, bytes) in zip(paths, files) {
            try AtomicFile.write(bytes, to: path, onConflict: replaces ? .replace : .fail)
        }
        return paths
    }
}
