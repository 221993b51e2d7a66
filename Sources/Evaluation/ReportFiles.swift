import FoundationEssentials
import Media
import Models
import Pipeline
import Reports

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
        let name = prefix.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        guard !["", ".", ".."].contains(name), prefix != "-" else {
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

/// A report that is a JSON file with a schema.
public protocol SchemaReport: Codable {
    /// The format of such reports.
    static var currentSchema: String { get }
    /// What a file that is not such a report should have been, and how to make one.
    static var problem: String { get }
    /// The format of this report.
    var schema: String { get }
}

extension SchemaReport {
    /// Reads a report.
    ///
    /// - Throws: ``PipelineError/badData(_:)`` when the file holds something else.
    public init(json: [UInt8], path: String) throws(PipelineError) {
        guard let report = try? JSONDecoder().decode(Self.self, from: Data(json)), report.schema == Self.currentSchema
        else { throw .badData("\(path): \(Self.problem)") }
        self = report
    }
}

extension Encodable {
    /// The value as JSON, on one line with its break, the same bytes for the same value.
    var jsonLine: [UInt8] { CanonicalJSON.file(self) }
}

extension HTMLTable {
    /// A table of one section whose columns are not grouped.
    init(caption: String = "", _ columns: [String], rows: [[Cell]]) {
        self.init(
            caption: caption, columns: columns.map { Column($0) }, sections: [Section(rows: rows.map { Row($0) })])
    }
}
