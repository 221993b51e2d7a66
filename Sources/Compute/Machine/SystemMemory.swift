import Glibc

/// The memory that this process can still have without taking any from others, in bytes: what the kernel says, and what
/// its control groups (those of containers, pods and batch systems) leave.
public struct SystemMemory: Equatable, Sendable {
    /// Without swapping.
    public let free: Int
    /// With what can be swapped out.
    public let freeWithSwap: Int

    /// What there is now.
    public static var now: SystemMemory { SystemMemory(read: SystemFile.text) }

    /// Reads the kernel's files by `read`, which is given a path and returns nil for a file that is not there.
    init(read: (String) -> String?) {
        let memory = SystemFile.numbers(read("/proc/meminfo"))
        let available = memory["MemAvailable:"].map { $0 * 1024 } ?? .max
        let swap = (memory["SwapFree:"] ?? 0) * 1024
        let groups = ControlGroup.own(read: read).compactMap { $0.room(read: read) }
        free = groups.reduce(available) { min($0, $1.free) }
        freeWithSwap = groups.reduce(min(available, .max / 2) + swap) { least, group in
            min(least, min(group.most, .max / 2) + min(swap, group.swap))
        }
    }

    /// Checks that `bytes` more can be held, by the limits of address space as well.
    ///
    /// - Parameters:
    ///   - bytes: a lower bound of what must stay in memory.
    ///   - purpose: what for, as the beginning of a sentence goes on: "PURPOSE takes 5 MB".
    /// - Throws: ``MachineError/tooLittleMemory(purpose:needed:available:limits:)``.
    public static func require(_ bytes: Int, for purpose: String) throws(MachineError) {
        try AddressSpace.require(bytes, for: purpose)
        let room = now.freeWithSwap
        guard bytes <= room else {
            throw .tooLittleMemory(purpose: purpose, needed: bytes, available: room, limits: "")
        }
    }
}
