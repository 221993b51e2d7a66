import Glibc

/// Writes files whole or not at all.
public enum AtomicFile {
    /// What to do about a file that is already there.
    public enum Conflict: Sendable {
        /// Leave it and fail, even if it appears while the new one is written.
        case fail
        /// Put the new one in its place.
        case replace
    }

    /// Writes `bytes` to `path`: under a temporary name in the same directory, synchronised to disk, then renamed.
    ///
    /// No failure leaves the temporary file behind. A process that is killed does; ``Temporaries`` removes what it left,
    /// which it tells by the lock that a writer holds on its file until that has its name. A device, pipe or socket at `path` has no content to protect and is
    /// written to directly, whatever `conflict` says. A symbolic link is replaced, not followed.
    ///
    /// - Throws: ``FileError``.
    public static func write(_ bytes: [UInt8], to path: String, onConflict conflict: Conflict) throws(FileError) {
        try write(to: path, onConflict: conflict) { descriptor throws(FileError) in
            try write(bytes, to: descriptor, path: path)
        }
    }

    /// Does what the public function does, with `fill` writing the contents.
    static func write(
        to path: String, onConflict conflict: Conflict, fill: (Int32) throws(FileError) -> Void
    ) throws(FileError) {
        if isStream(path) {
            let descriptor = try create(path, flags: O_WRONLY | O_CLOEXEC, path: path)
            try closing(descriptor, path: path) { () throws(FileError) in try fill(descriptor) }
            return
        }
        // Only spares the work; the rename below decides.
        if conflict == .fail && access(path, F_OK) == 0 { throw .exists(path: path) }

        let (temporary, descriptor) = try createTemporary(beside: path)
        // Open, and so locked, until the file has its name.
        defer { close(descriptor) }
        do throws(FileError) {
            // What a close has to report, that of a second descriptor reports, too.
            let second = dup(descriptor)
            guard second >= 0 else { throw failure("write", path: path) }
            try closing(second, path: path) { () throws(FileError) in
                try fill(second)
                guard fsync(second) == 0 else { throw failure("write", path: path) }
            }
            try move(temporary, to: path, onConflict: conflict)
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// Makes the temporary file and locks it.
    ///
    /// Between the two, a process that cleans up may take the file for one without a writer: then another is made.
    private static func createTemporary(beside path: String) throws(FileError) -> (name: String, descriptor: Int32) {
        while true {
            let name = Temporaries.name(beside: path)
            let descriptor = try create(name, flags: O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, path: path)
            // Where a file system has no locks, no process can take one to clean up, either.
            while flock(descriptor, LOCK_EX) != 0, errno == EINTR {}
            var status = stat()
            if fstat(descriptor, &status) == 0, status.st_nlink > 0 { return (name, descriptor) }
            close(descriptor)
        }
    }

    /// Writes all of `bytes` to an open file.
    static func write(_ bytes: [UInt8], to descriptor: Int32, path: String) throws(FileError) {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw failure("write", path: path) }
            written += count
        }
    }

    /// Whether something that is neither file nor directory is at `path`.
    private static func isStream(_ path: String) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0 else { return false }
        return [S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK].contains(status.st_mode & S_IFMT)
    }

    private static func create(_ name: String, flags: Int32, path: String) throws(FileError) -> Int32 {
        while true {
            let descriptor = open(name, flags, 0o666)
            if descriptor >= 0 { return descriptor }
            if errno != EINTR { throw failure("create", path: path) }
        }
    }

    /// Runs `body` and closes the descriptor; a failing close counts, since it may report a write that was put off.
    private static func closing(
        _ descriptor: Int32, path: String, _ body: () throws(FileError) -> Void
    ) throws(FileError) {
        do throws(FileError) {
            try body()
        } catch {
            close(descriptor)
            throw error
        }
        guard close(descriptor) == 0 || errno == EINTR else { throw failure("write", path: path) }
    }

    private static func move(
        _ temporary: String, to path: String, onConflict conflict: Conflict
    ) throws(FileError) {
        if conflict == .replace {
            guard rename(temporary, path) == 0 else { throw failure("create", path: path) }
            return
        }
        if link(temporary, path) == 0 {
            unlink(temporary)
            return
        }
        // FAT and some network file systems have no hard links.
        guard [EPERM, EOPNOTSUPP, ENOSYS, EMLINK].contains(errno) else { throw failure("create", path: path) }
        try moveByClaiming(temporary, to: path)
    }

    /// Takes the name with an empty file, which no two writers can do, then renames over it.
    static func moveByClaiming(_ temporary: String, to path: String) throws(FileError) {
        close(try create(path, flags: O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, path: path))
        guard rename(temporary, path) == 0 else {
            let failed = failure("create", path: path)
            unlink(path)
            throw failed
        }
    }

    /// The error of `errno`.
    private static func failure(_ operation: String, path: String) -> FileError {
        switch errno {
        case EEXIST:
            .exists(path: path)
        case ENOENT, ENOTDIR, EISDIR, EACCES, EPERM, EROFS, ENAMETOOLONG, ELOOP, ENXIO, EINVAL, ENOTEMPTY, EBUSY:
            operation == "create"
                ? .cannotCreate(path: path, code: errno) : .failed(path: path, operation: operation, code: errno)
        default:
            .failed(path: path, operation: operation, code: errno)
        }
    }
}

/// What can go wrong when a file is written.
public enum FileError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A file exists and was not to be replaced.
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
