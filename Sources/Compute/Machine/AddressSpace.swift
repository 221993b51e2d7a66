import Glibc

/// The memory that the system still lets this process map: limited by `ulimit -v` and `ulimit -d`, and by the machine
/// where it promises no more than it has.
public enum AddressSpace {
    /// What is left beside the purpose that is asked for: texts, tables, a picture's file. Measured with the embedded
    /// model, everything that is not asked for takes less.
    static let reserve = 24 << 20

    /// Checks that `bytes` more can be mapped; they are given back at once.
    ///
    /// - Parameters:
    ///   - bytes: how much is needed.
    ///   - purpose: what for, as the beginning of a sentence goes on: "PURPOSE takes 5 MB".
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

    /// Whether a limit is set.
    public static var isLimited: Bool { !limits.isEmpty }
}
