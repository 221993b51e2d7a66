import FoundationEssentials
import Media
import Models

/// A file whose bytes are known before it is written; a file that holds these bytes already is skipped.
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
    /// - Throws: ``PipelineError/cannotCreate(_:)`` when another file is in the way or the directory is not writable.
    public func standing() throws(PipelineError) -> Standing {
        let hash = SHA256.hexadecimal(bytes)
        return try Standing(of: path, hash: hash, replaces: replaces) { path in
            (try? Data(contentsOf: URL(filePath: path))).map { SHA256.hexadecimal([UInt8]($0)) }
        }
    }

    /// Writes the file, whole or not at all, unless it exists.
    ///
    /// - Throws: ``PipelineError/cannotCreate(_:)`` when another file is in the way, or ``FileError``.
    public func write() throws {
        guard try standing() == .free else { return }
        try AtomicFile.writeResult(bytes, to: path, replaces: replaces)
    }
}

extension AtomicFile {
    /// Writes what was computed with the mapped weights, which must not have changed meanwhile.
    ///
    /// - Throws: `SafetensorsError` when the weights have changed, or ``FileError``.
    static func writeResult(_ bytes: [UInt8], to path: String, replaces: Bool) throws {
        try WeightFiles.checkUnchanged()
        try write(bytes, to: path, onConflict: replaces ? .replace : .fail)
    }
}
