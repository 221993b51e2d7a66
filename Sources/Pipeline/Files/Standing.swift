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

    /// Checks that files can be made in the folder of `path`.
    ///
    /// - Throws: ``PipelineError/cannotCreate(_:)`` when it is not there or not writable.
    static func checkFolder(of path: String) throws(PipelineError) {
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
