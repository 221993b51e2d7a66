import Imaging

/// Where the files of a comparison go: `PREFIX.json` and `PREFIX.html`.
public struct ComparisonFiles: Equatable, Sendable {
    /// What both paths begin with.
    public let prefix: String
    /// Whether files that are there are replaced.
    public let replaces: Bool

    /// Joins a prefix and a policy.
    ///
    /// - Throws: ``PipelineError/usage(_:)`` when the prefix names no file.
    public init(prefix: String, replaces: Bool) throws(PipelineError) {
        guard !prefix.isEmpty, !prefix.hasSuffix("/"), prefix != "-" else {
            throw .usage(
                "--output '\(prefix)': two files are written; give what their paths begin with, as 'comparison'")
        }
        self.prefix = prefix
        self.replaces = replaces
    }

    /// Both paths.
    public var paths: [String] { [".json", ".html"].map { prefix + $0 } }

    /// Finds out, before any work is done, whether the files can be made.
    ///
    /// - Throws: ``PipelineError/cannotCreate(_:)`` when one is there already or the place cannot be written to.
    public func check() throws(PipelineError) {
        for path in paths { _ = try Standing(of: path, hash: "", replaces: replaces) { _ in nil } }
    }

    /// Makes both files, then writes them, each whole or not at all.
    ///
    /// - Returns: Their paths.
    /// - Throws: ``FileError``, and what making them throws.
    public func write(_ result: Comparison.Result, classNames: ClassNames, command: String) throws -> [String] {
        let page = result.report.page(gallery: result.gallery, classNames: classNames, command: command)
        let contents = [try result.report.json, try page.bytes()]
        for (path, bytes) in zip(paths, contents) {
            try AtomicFile.write(bytes, to: path, onConflict: replaces ? .replace : .fail)
        }
        return paths
    }
}
