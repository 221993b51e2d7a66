import FoundationEssentials
import Glibc

/// The memory that this process can still have without taking any from others, in bytes: what the kernel says, and what
/// its control groups (those of containers, pods and batch systems) leave.
public struct SystemMemory: Equatable, Sendable {
    /// Without swapping.
    public let free: Int
    /// With what can be swapped out.
    public let freeWithSwap: Int

    /// The memory at this moment.
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
    ///   - purpose: what for, as the subject of "PURPOSE takes 5 MB".
    /// - Throws: ``MachineError/tooLittleMemory(purpose:needed:available:limits:)``.
    public static func require(_ bytes: Int, for purpose: String) throws(MachineError) {
        try AddressSpace.require(bytes, for: purpose)
        let room = now.freeWithSwap
        guard bytes <= room else {
            throw .tooLittleMemory(purpose: purpose, needed: bytes, available: room, limits: "")
        }
    }
}

/// The memory that the system still lets this process map: limited by `ulimit -v` and `ulimit -d`, and by the machine
/// where it does not overcommit.
public enum AddressSpace {
    /// Kept free for what no caller accounts for: texts, tables, a picture's file. Measured with the embedded model, all of
    /// that takes less.
    static let reserve = 24 << 20

    /// Checks that `bytes` more can be mapped; they are given back at once.
    ///
    /// - Parameters:
    ///   - bytes: how much is needed.
    ///   - purpose: what for, as the subject of "PURPOSE takes 5 MB".
    /// - Throws: ``MachineError/tooLittleMemory(purpose:needed:available:limits:)``.
    public static func require(_ bytes: Int, for purpose: String) throws(MachineError) {
        guard !canMap(bytes) else { return }
        throw .tooLittleMemory(purpose: purpose, needed: bytes, available: available(below: bytes), limits: limits)
    }

    /// Whether `bytes` more can be mapped.
    static func canMap(_ bytes: Int) -> Bool {
        guard bytes > 0 else { return true }
        guard let start = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            start != MAP_FAILED
        else { return false }
        munmap(start, bytes)
        return true
    }

    /// The most that can be mapped, to a megabyte; less than `bytes`.
    private static func available(below bytes: Int) -> Int {
        var (fits, fails) = (0, bytes >> 20 + 1)
        while fails - fits > 1 {
            let middle = (fits + fails) / 2
            if canMap(middle << 20) { fits = middle } else { fails = middle }
        }
        return fits << 20
    }

    /// The limits that are set, for people; empty where there are none.
    public static var limits: String {
        let resources = [("-v", RLIMIT_AS), ("-d", RLIMIT_DATA)]
        return resources.compactMap { option, resource in
            var limit = rlimit()
            guard getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0, limit.rlim_cur != rlim_t.max else {
                return nil
            }
            return "ulimit \(option) \(limit.rlim_cur / 1024)"
        }.joined(separator: " and ")
    }

    public static var isLimited: Bool { !limits.isEmpty }
}

/// The kernel's small text files, such as those of `/proc`.
enum SystemFile {
    /// The text of the file at `path`; nil if it cannot be read.
    static func text(_ path: String) -> String? {
        (try? Data(contentsOf: URL(filePath: path))).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The numbers of a file with a key and a number in each line, of which the first word is the key.
    static func numbers(_ text: String?) -> [Substring: Int] {
        let pairs = (text ?? "").split(separator: "\n").compactMap { line -> (Substring, Int)? in
            let words = line.split(separator: " ")
            guard words.count >= 2, let number = Int(words[1]) else { return nil }
            return (words[0], number)
        }
        return Dictionary(pairs) { first, _ in first }
    }
}
