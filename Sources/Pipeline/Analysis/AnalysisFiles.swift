import Imaging

/// Where the files of an analysis go: `PREFIX.json` and others beside it that begin with the same prefix.
public struct AnalysisFiles: Equatable, Sendable {
    /// One file, ready to be written.
    public struct Content: Equatable, Sendable {
        /// What follows the prefix, with the ending.
        public let suffix: String
        /// The bytes.
        public let bytes: [UInt8]

        /// Joins a suffix and the bytes.
        public init(suffix: String, bytes: [UInt8]) {
            self.suffix = suffix
            self.bytes = bytes
        }

        /// Joins a suffix and a text.
        public init(suffix: String, text: String) {
            self.init(suffix: suffix, bytes: Array(text.utf8))
        }
    }

    /// The suffixes of all files, in the order in which they are written.
    public static let suffixes = [".json", "-steps.csv", "-blocks.csv"]

    /// What all paths begin with.
    public let prefix: String
    /// Whether files that are there are replaced.
    public let replaces: Bool

    /// Joins a prefix and a policy.
    ///
    /// - Throws: ``PipelineError/usage(_:)`` when the prefix names no file.
    public init(prefix: String, replaces: Bool) throws(PipelineError) {
        guard !prefix.isEmpty, !prefix.hasSuffix("/"), prefix != "-" else {
            throw .usage(
                "--output '\(prefix)': several files are written; give what their paths begin with, as 'analysis'")
        }
        self.prefix = prefix
        self.replaces = replaces
    }

    /// All paths.
    public var paths: [String] { Self.suffixes.map { prefix + $0 } }

    /// Finds out, before any work is done, whether the files can be made.
    ///
    /// - Throws: ``PipelineError/cannotCreate(_:)`` when one is there already or the place cannot be written to.
    public func check() throws(PipelineError) {
        for path in paths { _ = try Standing(of: path, hash: "", replaces: replaces) { _ in nil } }
    }

    /// The contents of the files.
    public static func contents(of report: TrajectoryReport) throws -> [Content] {
        [
            Content(suffix: ".json", bytes: try report.json),
            Content(suffix: "-steps.csv", text: report.stepsCSV),
            Content(suffix: "-blocks.csv", text: report.blocksCSV),
        ]
    }

    /// Writes the files, each whole or not at all.
    ///
    /// - Returns: Their paths.
    /// - Throws: ``FileError``, and what encoding throws.
    public func write(_ report: TrajectoryReport) throws -> [String] {
        try Self.contents(of: report).map { content in
            let path = prefix + content.suffix
            try AtomicFile.write(content.bytes, to: path, onConflict: replaces ? .replace : .fail)
            return path
        }
    }
}
