import Glibc

/// The temporary files of ``AtomicFile``: `.NAME.PID.RANDOM.tmp`, each locked by its writer.
public enum Temporaries {
    private static let ending = ".tmp"
    /// Longer names are cut, so that any file system that can hold the name itself can hold this one.
    private static let longestStem = 200

    /// A hidden name in the directory of `path`.
    static func name(beside path: String) -> String {
        let (directory, name) = split(path)
        let random = String(UInt64.random(in: .min ... .max), radix: 36)
        return "\(directory).\(stem(of: name)).\(getpid()).\(random)\(ending)"
    }

    /// Removes those that killed processes have left in `directory` while they wrote a file of one of these names.
    ///
    /// One that is being written is locked, on this machine or another one, and left alone; so is everything where locks
    /// cannot be had. What cannot be removed stays.
    ///
    /// - Returns: how many were removed.
    @discardableResult
    public static func removeOrphans(in directory: String, of names: Set<String>) -> Int {
        let stems = Set(names.map(stem))
        guard let stream = opendir(directory.isEmpty ? "." : directory) else { return 0 }
        defer { closedir(stream) }
        var removed = 0
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            guard name.hasSuffix(ending), let target = target(of: name), stems.contains(target) else { continue }
            if removeIfOrphaned(directory.isEmpty ? name : "\(directory)/\(name)") { removed += 1 }
        }
        return removed
    }

    /// The stem of the file that a temporary of this name becomes; nil for any other name.
    private static func target(of name: String) -> String? {
        var parts = name.dropLast(ending.count).split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts.removeFirst().isEmpty, let random = parts.popLast(), let pid = parts.popLast(),
            UInt64(random, radix: 36) != nil, Int32(pid) != nil
        else { return nil }
        return parts.joined(separator: ".")
    }

    private static func removeIfOrphaned(_ path: String) -> Bool {
        // Network file systems want a file open for writing before they lock it.
        let descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_EX | LOCK_NB) == 0 && unlink(path) == 0
    }

    private static func stem(of name: some StringProtocol) -> String {
        String(decoding: name.utf8.prefix(longestStem), as: UTF8.self)
    }

    private static func split(_ path: String) -> (directory: Substring, name: Substring) {
        guard let slash = path.lastIndex(of: "/") else { return ("", path[...]) }
        return (path[...slash], path[path.index(after: slash)...])
    }
}
