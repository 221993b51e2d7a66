/// A control group of Linux that limits memory, of version 1 or 2.
///
/// Source: https://docs.kernel.org/admin-guide/cgroup-v2.html and cgroup-v1/memory.html
struct ControlGroup: Equatable {
    enum Version: Equatable {
        case one
        case two
    }

    let version: Version
    /// Where its files are.
    let directory: String

    /// The memory that a group still allows, in bytes.
    struct Room: Equatable {
        /// Before the kernel slows the group's processes down.
        let free: Int
        /// Before it kills one of them.
        let most: Int
        /// What may be swapped out in addition.
        let swap: Int
    }

    // MARK: - Finding groups

    /// The groups that this process is in, and those around them: each one's limit holds.
    static func own(read: (String) -> String?) -> [ControlGroup] {
        let mounts = mounts(in: read("/proc/self/mountinfo") ?? "")
        return (read("/proc/self/cgroup") ?? "").split(separator: "\n").flatMap { line -> [ControlGroup] in
            // Number, controllers and path; version 2 names no controllers.
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { return [] }
            let version: Version
            if parts[1].isEmpty {
                version = .two
            } else if parts[1].split(separator: ",").contains("memory") {
                version = .one
            } else {
                return []
            }
            return mounts.filter { $0.version == version }.flatMap { mount in
                paths(parts[2], below: mount.root).map { ControlGroup(version: version, directory: mount.point + $0) }
            }
        }
    }

    private struct Mount {
        let version: Version
        /// The group that is seen at the mount's point: `/`, but in a container mostly its own.
        let root: Substring
        let point: String
    }

    /// Where groups are mounted; the usual places where the system does not say.
    private static func mounts(in text: String) -> [Mount] {
        let found = text.split(separator: "\n").compactMap { line -> Mount? in
            let words = line.split(separator: " ")
            guard let dash = words.firstIndex(of: "-"), dash >= 6, words.count > dash + 1 else { return nil }
            let (root, point) = (words[3], String(words[4]))
            switch words[dash + 1] {
            case "cgroup2": return Mount(version: .two, root: root, point: point)
            case "cgroup" where words[dash...].last?.split(separator: ",").contains("memory") == true:
                return Mount(version: .one, root: root, point: point)
            default: return nil
            }
        }
        guard found.isEmpty else { return found }
        return [
            Mount(version: .two, root: "/", point: "/sys/fs/cgroup"),
            Mount(version: .one, root: "/", point: "/sys/fs/cgroup/memory"),
        ]
    }

    /// A path and those above it, the last of which is the mount's point itself.
    private static func paths(_ path: Substring, below root: Substring) -> [String] {
        let rest = root != "/" && path.hasPrefix(root) ? path.dropFirst(root.count) : path
        var parts = rest.split(separator: "/")
        var paths = [String]()
        while !parts.isEmpty {
            paths.append(parts.map { "/" + $0 }.joined())
            parts.removeLast()
        }
        return paths + [""]
    }

    // MARK: - Reading limits

    /// The memory that the group still allows; nil if it sets no limit, or is not there.
    ///
    /// Pages of files that are not in use count as free: the kernel drops them before it runs out of memory.
    func room(read: (String) -> String?) -> Room? {
        func number(_ name: String) -> Int? {
            read("\(directory)/\(name)").flatMap { Int($0.split(separator: "\n").first ?? "") }
        }
        let statistics = SystemFile.numbers(read("\(directory)/memory.stat"))
        func sum(_ names: [Substring]) -> Int { names.reduce(0) { $0 + (statistics[$1] ?? 0) } }
        func left(_ limit: Int, _ used: Int) -> Int { max(0, limit - min(limit, max(0, used))) }
        switch version {
        case .two:
            let (limit, brake) = (number("memory.max"), number("memory.high"))
            guard limit != nil || brake != nil else { return nil }
            let used = (number("memory.current") ?? 0) - sum(["inactive_file", "active_file", "slab_reclaimable"])
            let swap = number("memory.swap.max").map { left($0, number("memory.swap.current") ?? 0) } ?? .max / 4
            let most = left(limit ?? .max / 4, used)
            return Room(free: min(most, left(brake ?? .max / 4, used)), most: most, swap: swap)
        case .one:
            // No limit is a number near the largest.
            guard let limit = number("memory.limit_in_bytes"), limit < Int.max / 2 else { return nil }
            let files = sum(["total_inactive_file", "total_active_file"])
            let free = left(limit, (number("memory.usage_in_bytes") ?? 0) - files)
            let both = number("memory.memsw.limit_in_bytes").map {
                left($0, (number("memory.memsw.usage_in_bytes") ?? 0) - files)
            }
            return Room(free: free, most: free, swap: both.map { max(0, min($0, Int.max / 2) - free) } ?? .max / 4)
        }
    }
}
