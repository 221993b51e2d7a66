import FoundationEssentials

/// What stands at a path before a file is made for it.
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
    ///   - replaces: whether a file that is there is replaced, this very one too.
    ///   - read: reads the settings hash from the regular file at the path; nil if it has none.
    /// - Throws: ``PipelineError/cannotCreate(_:)`` when another file is in the way or the place cannot be written to.
    init(
        of path: String, hash: String, replaces: Bool, read: (String) -> String?
    ) throws(PipelineError) {
        let type = try? FileManager.default.attributesOfItem(atPath: Self.resolved(path))[.type] as? FileAttributeType
        switch type {
        case nil:
            try Self.checkFolder(of: path)
            self = .free
        case FileAttributeType.typeDirectory:
            throw .cannotCreate("\(path): is a directory; name a file in it")
        case FileAttributeType.typeRegular:
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

    private static func resolved(_ path: String) -> String {
        URL(filePath: path).resolvingSymlinksInPath().path
    }

    private static func checkFolder(of path: String) throws(PipelineError) {
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
        var isDirectory = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isDirectory), isDirectory else {
            throw .cannotCreate("\(path): the directory \(folder) does not exist; create it first")
        }
        guard FileManager.default.isWritableFile(atPath: folder) else {
            throw .cannotCreate("\(path): the directory \(folder) is not writable; choose another")
        }
    }
}
