import Glibc

/// A regular file's bytes, mapped read-only for as long as this object lives.
///
/// Reading after somebody else has shortened the file is undefined, as with every mapped file.
final class MappedFile: @unchecked Sendable {
    /// The path that was opened.
    let path: String
    /// Device, inode, size and time of change: another text once the file is another or has been written to.
    let identity: String
    /// All bytes of the file.
    let bytes: UnsafeRawBufferPointer

    /// Maps the file at `path`.
    ///
    /// - Throws: ``SafetensorsError/missingFile(path:)`` or ``SafetensorsError/unreadable(path:reason:)``.
    init(path: String) throws(SafetensorsError) {
        // O_NONBLOCK: opening a named pipe by mistake fails below instead of waiting for a writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw errno == ENOENT || errno == ENOTDIR ? .missingFile(path: path) : Self.unreadable(path)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.unreadable(path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .unreadable(path: path, reason: "it is not a regular file")
        }
        self.path = path
        let size = Int(status.st_size)
        let changed = status.st_ctim
        identity = "\(status.st_dev) \(status.st_ino) \(size) \(changed.tv_sec).\(changed.tv_nsec)"
        if size == 0 {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
            throw Self.unreadable(path)
        }
        bytes = UnsafeRawBufferPointer(start: start, count: size)
    }

    deinit {
        if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) }
    }

    /// Tells the system that the bytes of `range` are about to be read, so that the disk need not wait for us.
    func announce(_ range: Range<Int>) {
        advise(range, MADV_WILLNEED, includingShared: true)
    }

    /// Gives the memory of the bytes of `range` back to the system; they are read anew if they are used again.
    func release(_ range: Range<Int>) {
        advise(range, MADV_DONTNEED, includingShared: false)
    }

    /// Advises on the pages that `range` touches, or on those that it does not share with its neighbours.
    private func advise(_ range: Range<Int>, _ advice: Int32, includingShared: Bool) {
        let page = Int(getpagesize())
        let first = (includingShared ? range.lowerBound : range.lowerBound + page - 1) / page * page
        let end = min(
            includingShared ? (range.upperBound + page - 1) / page * page : range.upperBound / page * page, bytes.count)
        guard let start = bytes.baseAddress, first < end else { return }
        madvise(UnsafeMutableRawPointer(mutating: start + first), end - first, advice)
    }

    private static func unreadable(_ path: String) -> SafetensorsError {
        .unreadable(path: path, reason: String(cString: strerror(errno)))
    }
}
