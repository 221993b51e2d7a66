import FoundationEssentials
import Media
import Models

/// A file whose bytes are known before it is written; one that holds these very bytes is left.
public struct KnownFile: Sendable {
    /// Where it goes.
    public let path: String
    private let bytes: [UInt8]
    private let replaces: Bool

    /// Joins a path, what it is to hold, and whether another file there is replaced.
    public init(path: String, bytes: [UInt8], replaces: Bool) {
        self.path = path
        self.bytes = bytes
        self.replaces = replaces
    }

    /// Looks for the file.
    ///
    /// - Throws: ``PipelineError/cannotCreate(_:)`` when another file is in the way or the place cannot be written to.
    public func standing() throws(PipelineError) -> Standing {
        let hash = SHA256.hexadecimal(bytes)
        return try Standing(of: path, hash: hash, replaces: replaces) { path in
            (try? Data(contentsOf: URL(filePath: path))).map { SHA256.hexadecimal([UInt8]($0)) }
        }
    }

    /// Writes the file, whole or not at all, unless it is there.
    ///
    /// - Throws: ``PipelineError/cannotCreate(_:)`` when another file is in the way, or ``FileError``.
    public func write() throws {
        guard try standing() == .free else { return }
        try WeightFiles.checkUnchanged()
        try AtomicFile.write(bytes, to: path, onConflict: replaces ? .replace : .fail)
    }
}
