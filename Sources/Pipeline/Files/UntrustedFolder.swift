import Glibc

/// The directory of a batch, seen by a program that does not trust the names in its manifests: only regular files in it and
/// below are opened, and no file makes the program wait.
public struct UntrustedFolder: Equatable, Sendable {
    /// The directory as messages name it, with the slash after it; empty for the present one.
    let path: String

    /// Whether a manifest may list a file of this name: a relative path without empty parts, `.` and `..`, backslashes,
    /// and control characters.
    public static func isPlain(_ name: String) -> Bool {
        let isPrintable = name.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\\") }
        let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return isPrintable
            && parts.allSatisfy { !$0.isEmpty && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8) }
    }

    /// Whether `other` is this directory, perhaps under another name.
    func isSame(as other: UntrustedFolder) -> Bool {
        var (mine, theirs) = (stat(), stat())
        guard stat(openable, &mine) == 0, stat(other.openable, &theirs) == 0 else { return path == other.path }
        return mine.st_dev == theirs.st_dev && mine.st_ino == theirs.st_ino
    }

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - name: its plain name; no part of it may be a symbolic link.
    ///   - most: the most bytes that it may have.
    ///   - missing: what to do where there is no such file.
    /// - Returns: its bytes.
    /// - Throws: ``PipelineError`` when it is missing, cannot be read, or is no such file.
    func read(_ name: String, most: Int, missing: String) throws(PipelineError) -> [UInt8] {
        guard Self.isPlain(name) else {
            throw .badData("\(path): a file is named that is none of the directory's own; make the batch again")
        }
        do throws(OpenFailure) {
            let (descriptor, size) = try open(name)
            defer { close(descriptor) }
            guard size <= most else {
                throw .notSuch("has \(size) bytes, more than the \(most) that can be read")
            }
            return try Self.read(descriptor, size: size)
        } catch {
            switch error {
            case .missing: throw .missingInput("\(path)\(name): no such file\(missing)")
            case .notSuch(let what): throw .badData("\(path)\(name): \(what); put the file itself there")
            case .failed(let code):
                throw .inputOutput("\(path)\(name): cannot be read: \(String(cString: strerror(code)))")
            }
        }
    }

    private enum OpenFailure: Error {
        case missing
        case notSuch(String)
        case failed(Int32)

        /// The meaning of `errno` after a part of a path was not opened.
        init(code: Int32) {
            switch code {
            case ENOENT: self = .missing
            case ELOOP, ENOTDIR: self = .notSuch("lies behind a symbolic link or something else that is no directory")
            case ENAMETOOLONG: self = .notSuch("has a name that is too long")
            case ENXIO, ENODEV: self = .notSuch("is no regular file")
            default: self = .failed(code)
            }
        }
    }

    /// The directory's path for the system.
    private var openable: String { path.isEmpty ? "." : path }

    /// Opens a file part by part, so that no link leads elsewhere.
    private func open(_ name: String) throws(OpenFailure) -> (descriptor: Int32, size: Int) {
        var folder = Glibc.open(openable, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw OpenFailure(code: errno) }
        defer { close(folder) }
        let parts = name.utf8.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }
        for part in parts.dropLast() {
            let next = openat(folder, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            guard next >= 0 else { throw OpenFailure(code: errno) }
            close(folder)
            folder = next
        }
        // Opening a device can do something; opening a pipe can wait for a writer.
        var status = stat()
        guard fstatat(folder, parts[parts.count - 1], &status, AT_SYMLINK_NOFOLLOW) == 0 else {
            throw OpenFailure(code: errno)
        }
        try Self.check(status)
        let descriptor = openat(
            folder, parts[parts.count - 1], O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        guard descriptor >= 0 else { throw OpenFailure(code: errno) }
        do throws(OpenFailure) {
            guard fstat(descriptor, &status) == 0 else { throw OpenFailure(code: errno) }
            try Self.check(status)
            return (descriptor, Int(status.st_size))
        } catch {
            close(descriptor)
            throw error
        }
    }

    private static func check(_ status: stat) throws(OpenFailure) {
        switch status.st_mode & S_IFMT {
        case S_IFREG: return
        case S_IFLNK: throw .notSuch("is a symbolic link")
        case S_IFDIR: throw .notSuch("is a directory")
        default: throw .notSuch("is no regular file")
        }
    }

    private static func read(_ descriptor: Int32, size: Int) throws(OpenFailure) -> [UInt8] {
        var (done, code) = (0, Int32(0))
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while done < size {
                let got = Glibc.read(descriptor, buffer.baseAddress.map { $0 + done }, size - done)
                if got < 0, errno == EINTR { continue }
                if got < 0 { code = errno }
                guard got > 0 else { break }
                done += got
            }
            count = done
        }
        guard code == 0 else { throw .failed(code) }
        return bytes
    }
}
