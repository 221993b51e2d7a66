import CMappedFiles
import Glibc
import Synchronization

/// A regular file's bytes, mapped read-only for as long as this object lives.
///
/// Another process may write to the file meanwhile, which ``checkUnchanged()`` detects, or cut it short, after which
/// reading is undefined unless ``WeightFiles/endOnLoss(status:prefix:)`` was called.
final class MappedFile: @unchecked Sendable {
    let path: String
    /// What the file was when it was mapped.
    let identity: FileIdentity
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
            // A directory listing has U+FFFD in the place of bytes that are no text.
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

    /// Waits until every write would show in the file's times: right after one, another would not. Call it before reading
    /// bytes that ``checkUnchanged()`` is to cover.
    func awaitRest() {
        let moment = identity.restlessness
        if moment > 0 { usleep(useconds_t(moment / 1000 + 1)) }
    }

    /// Checks that the file has not been written to since it was mapped.
    ///
    /// A new file under the same name does no harm: the bytes of this one do not change.
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

/// The identity of an open file's contents: it changes when the file is written to.
struct FileIdentity: Equatable, Sendable {
    private let device: UInt
    private let inode: UInt
    let size: Int
    private let written: Instant
    private let changed: Instant
    /// What moves the time of change without changing a byte: links, permissions and owners.
    private let attributes: [UInt]

    /// The longest step of a file system's clock without parts of a second.
    private static let longestTick = 2_000_000_000
    /// Twice the longest step of the kernel's clock, ten milliseconds, which other file systems use.
    private static let tick = 20_000_000

    private struct Instant: Equatable {
        let seconds: Int
        let nanoseconds: Int

        init(_ time: timespec) {
            (seconds, nanoseconds) = (time.tv_sec, time.tv_nsec)
        }
    }

    /// The identity of an open file; nil if the system does not tell.
    init?(descriptor: Int32) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        self.init(status)
    }

    private init(_ status: stat) {
        device = UInt(status.st_dev)
        inode = UInt(status.st_ino)
        size = Int(status.st_size)
        written = Instant(status.st_mtim)
        changed = Instant(status.st_ctim)
        attributes = [UInt(status.st_nlink), UInt(status.st_mode), UInt(status.st_uid), UInt(status.st_gid)]
    }

    /// The identity as a text without attributes.
    var text: String {
        "\(device) \(inode) \(size) \(changed.seconds).\(changed.nanoseconds) \(written.seconds).\(written.nanoseconds)"
    }

    /// Whether a file of this identity holds the same bytes as when its identity was `old`.
    ///
    /// The time of change moves with every write, even where the time of writing is set back afterwards. Where it has
    /// moved for another reason, of which `wasMoved` is one, no byte is another.
    ///
    /// - Parameters:
    ///   - old: an earlier identity of the same open file.
    ///   - wasMoved: whether the file has lost its name since.
    /// - Returns: false where that is not certain.
    func holdsSameBytes(as old: FileIdentity, wasMoved: Bool) -> Bool {
        guard device == old.device, inode == old.inode, size == old.size, written == old.written else { return false }
        return changed == old.changed || attributes != old.attributes || wasMoved
    }

    /// Whether the file at `path` is this one.
    func isAt(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && UInt(status.st_dev) == device && UInt(status.st_ino) == inode
    }

    /// How long to wait, in nanoseconds, until another write would be seen in the times; 0 for a file that has been at rest.
    var restlessness: Int {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let age = (now.tv_sec - changed.seconds) * 1_000_000_000 + now.tv_nsec - changed.nanoseconds
        let tick = changed.nanoseconds == 0 ? Self.longestTick : Self.tick
        return age >= 0 && age < tick ? tick - age : 0
    }
}

/// All weight files that this process has mapped.
public enum WeightFiles {
    private struct Reference {
        weak var file: MappedFile?
    }

    private static let files = Mutex<[Reference]>([])

    /// Watches a file for as long as it is in use.
    static func watch(_ file: MappedFile) {
        files.withLock { files in
            files.removeAll { $0.file == nil }
            files.append(Reference(file: file))
        }
    }

    /// Checks that none of the files has been written to since it was mapped.
    ///
    /// Called before anything is kept: what was computed from bytes that have changed belongs to no model, and a result
    /// does not know all the files that it came from.
    ///
    /// - Throws: ``SafetensorsError/changed(path:)``.
    public static func checkUnchanged() throws(SafetensorsError) {
        let present = files.withLock { $0.compactMap(\.file) }
        for file in present { try file.checkUnchanged() }
    }

    /// Does `body`; where it fails and one of the files has been written to meanwhile, throws that as the reason.
    ///
    /// - Throws: ``SafetensorsError/changed(path:)``, or what `body` throws.
    public static func blamed<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch {
            try checkUnchanged()
            throw error
        }
    }

    /// From now on, a process that reads bytes of these files which are gone, since the file was cut short or its disk
    /// fails, says so in one line and ends. For executables: without this it dies of SIGBUS.
    ///
    /// - Parameters:
    ///   - status: the exit code.
    ///   - prefix: what the line begins with, such as the name of the program.
    public static func endOnLoss(status: Int32, prefix: StaticString) {
        prefix.withUTF8Buffer { text in
            guard let start = text.baseAddress else { return }
            start.withMemoryRebound(to: CChar.self, capacity: text.count + 1) { mapped_files_end_with(status, $0) }
        }
    }
}
