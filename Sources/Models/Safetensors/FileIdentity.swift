import Glibc

/// What tells whether a file that is open still holds the bytes that it held: another one once it has been written to.
struct FileIdentity: Equatable, Sendable {
    private let device: UInt
    private let inode: UInt
    /// The size in bytes.
    let size: Int
    private let written: Instant
    private let changed: Instant
    /// What changes the time of change without a byte: links, permissions and owners.
    private let attributes: [UInt]

    /// The longest step of a file system's clock that does not tell parts of a second.
    private static let longestTick = 2_000_000_000
    /// The longest step of the kernel's clock that others go by, ten milliseconds, twice.
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
    /// - Returns: false where nobody can tell.
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
