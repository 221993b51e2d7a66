import Imaging

/// Where the files of an analysis go: `PREFIX.json` and others beside it that begin with the same prefix.
public struct AnalysisFiles: Equatable, Sendable {
    /// Every file, in the order of writing: what follows the prefix, and how its bytes are made of a report and its
    /// pictures.
    private static let kinds:
        [(suffix: String, bytes: @Sendable (TrajectoryReport, TrajectoryDrawings) throws -> [UInt8])] = [
            (".json", { report, _ in try report.json }),
            ("-steps.csv", { report, _ in Array(report.stepsCSV.utf8) }),
            ("-blocks.csv", { report, _ in Array(report.blocksCSV.utf8) }),
            ("-turning.svg", { $1.turning.bytes }),
            ("-curvature.svg", { $1.curvature.bytes }),
            ("-path.svg", { $1.path.bytes }),
            ("-blocks.svg", { $1.blocks.bytes }),
            ("-noise.svg", { $1.noise.bytes }),
        ]

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
    public var paths: [String] { Self.kinds.map { prefix + $0.suffix } }

    /// Finds out, before any work is done, whether the files can be made.
    ///
    /// - Throws: ``PipelineError/cannotCreate(_:)`` when one is there already or the place cannot be written to.
    public func check() throws(PipelineError) {
        for path in paths { _ = try Standing(of: path, hash: "", replaces: replaces) { _ in nil } }
    }

    /// Makes all files, then writes them, each whole or not at all.
    ///
    /// - Parameters:
    ///   - report: What they tell.
    ///   - reuse: The plan whose full and reused calls the pictures mark; nil for no marks.
    /// - Returns: Their paths.
    /// - Throws: ``FileError``, and what making them throws.
    public func write(_ report: TrajectoryReport, marking reuse: ReuseRecord? = nil) throws -> [String] {
        let drawings = TrajectoryDrawings(of: report, marking: reuse)
        let contents = try Self.kinds.map { try $0.bytes(report, drawings) }
        for (path, bytes) in zip(paths, contents) {
            try AtomicFile.write(bytes, to: path, onConflict: replaces ? .replace : .fail)
        }
        return paths
    }
}
