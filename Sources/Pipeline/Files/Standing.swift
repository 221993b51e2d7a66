import FoundationEssentials
import Glibc
import Media
import Models

/// What is at a path before a file is made for it.
public enum Standing: Equatable, Sendable {
    /// Nothing, a device or pipe, or a file that is to be replaced.
    case free
    /// The file that is about to be made.
    case done

    /// Looks at `path`.
    ///
    /// - Parameters:
    ///   - path: where the file is to be.
    ///   - hash: the settings hash of what is about to be made.
    ///   - replaces: whether an existing file is replaced, even the same one.
    ///   - read: reads the settings hash from the regular file at the path; nil if it has none.
    /// - Throws: ``PipelineError/cannotCreate(_:)`` when another file is in the way or the directory is not writable.
    package init(
        of path: String, hash: String, replaces: Bool, read: (String) -> String?
    ) throws(PipelineError) {
        var status = stat()
        guard stat(path, &status) == 0 else {
            try Self.checkFolder(of: path)
            self = .free
            return
        }
        switch status.st_mode & S_IFMT {
        case S_IFDIR:
            throw .cannotCreate("\(path): is a directory; name a file in it")
        case S_IFREG:
            if replaces {
                self = .free
            } else if read(path) == hash {
                self = .done
            } else {
                throw .cannotCreate(
                    "\(path): another file is in the way; choose another name, or --force to replace it")
            }
        default:
            self = .free
        }
    }

    private static func checkFolder(of path: String) throws(PipelineError) {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        var status = stat()
        guard stat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw .cannotCreate("\(path): the directory \(folder) does not exist; create it first")
        }
        guard access(folder, W_OK) == 0 else {
            throw .cannotCreate("\(path): the directory \(folder) is not writable; choose another")
        }
    }
}

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
