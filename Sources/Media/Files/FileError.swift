import Glibc

/// What can go wrong when a file is written.
public enum FileError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A file stands in the way and was not to be replaced.
    case exists(path: String)

    /// The file cannot be made at this place: the directory is missing or closed to writing, or the name is not usable.
    case cannotCreate(path: String, code: Int32)

    /// Writing failed on the way, as on a full disk.
    case failed(path: String, operation: String, code: Int32)

    public var description: String {
        switch self {
        case .exists(let path):
            "\(path.quotedOnOneLine) already exists; choose another name or ask for it to be replaced"
        case .cannotCreate(let path, let code):
            "cannot create \(path.quotedOnOneLine): \(Self.text(of: code)); choose a writable directory that exists"
        case .failed(let path, let operation, let code):
            "cannot \(operation) \(path.quotedOnOneLine): \(Self.text(of: code)); check the disk and its free space"
        }
    }

    private static func text(of code: Int32) -> String {
        strerror(code).map { String(cString: $0) } ?? "error \(code)"
    }
}
