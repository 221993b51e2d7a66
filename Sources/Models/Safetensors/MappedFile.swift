import CMappedFiles
import Glibc

/// A regular file's bytes, mapped read-only for as long as this object lives.
///
/// Somebody else may write to the file meanwhile, which ``checkUnchanged()`` finds out, or cut it short, after which
/// reading is undefined unless ``WeightFiles/endOnLoss(status:prefix:)`` was called.
final class MappedFile: @unchecked Sendable {
    /// The path that was opened.
    let path: String
    /// What the file was when it was mapped.
    let identity: FileIdentity
    /// All bytes of the file.
    let bytes: UnsafeRawBufferPointer

    private let descriptor: Int32
    /// Where the file is known to the handler of SIGBUS.
    private let place: Int32

    /// Maps the file at `path`.
    ///
    /// - Throws: ``SafetensorsError/missingFile(path:)`` or ``SafetensorsError/unreadable(path:reason:)``.
    init(path: String) throws(SafetensorsError) {
        // O_NONBLOCK: opening a named pipe by mistake fails below instead of waiting for a writer.
        descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            // What a directory's listing has in the place of bytes that make no text.
            guard !path.unicodeScalars.contains("\u{FFFD}") else { throw .unreadableName(path: path) }
            throw errno == ENOENT || errno == ENOTDIR ? .missingFile(path: path) : Self.unreadable(path)
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            let identity = FileIdentity(descriptor: descriptor)
        else {
            let error = errno
            close(descriptor)
            guard status.st_mode & S_IFMT == S_IFREG || status.st_mode == 0 else {
                throw .unreadable(path: path, reason: "it is not a regular file")
            }
            errno = error
            throw Self.unreadable(path)
        }
        self.path = path
        self.identity = identity
        guard identity.size > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            place = -1
            return
        }
        guard let start = mmap(nil, identity.size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
            let error = errno
            close(descriptor)
            errno = error
            throw Self.unreadable(path)
        }
        bytes = UnsafeRawBufferPointer(start: start, count: identity.size)
        place = mapped_files_add(start, identity.size, "\(SafetensorsError.lost(path: path))\n")
    }

    deinit {
        mapped_files_remove(place)
        if let start = bytes.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), bytes.count) }
        close(descriptor)
    }

    /// Waits until every write would show: in the moment after one, another would not. Before bytes are read that are to
    /// be vouched for.
    func awaitRest() {
        let moment = identity.restlessness
        if moment > 0 { usleep(useconds_t(moment / 1000 + 1)) }
    }

    /// Checks that nobody has written to the file since it was mapped.
    ///
    /// A file that takes this one's place under its name does no harm: this one's bytes stay as they are.
    ///
    /// - Throws: ``SafetensorsError/changed(path:)``.
    func checkUnchanged() throws(SafetensorsError) {
        guard let now = FileIdentity(descriptor: descriptor),
            now.holdsSameBytes(as: identity, wasMoved: !now.isAt(path))
        else { throw .changed(path: path) }
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
