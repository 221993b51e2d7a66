import FoundationEssentials

/// The user's cache folder, after the XDG base directory specification.
enum UserCache {
    /// The folder `name` in it, whether it exists or not; nil where there is no home.
    static func folder(_ name: String) -> String? {
        let environment = ProcessInfo.processInfo.environment
        // The specification has relative paths ignored.
        let cache =
            environment["XDG_CACHE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
            ?? environment["HOME"].flatMap { $0.hasPrefix("/") ? "\($0)/.cache" : nil }
        return cache.map { "\($0)/omnicache/\(name)" }
    }

    /// Makes the folder of the file at `path`, unless it exists.
    ///
    /// - Returns: whether it exists now.
    static func makeFolder(of path: String) -> Bool {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        return (try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)) != nil
    }

    /// Writes the file at `path`, whole or not at all. What is in it can be computed again, so failing to write it is no
    /// error.
    static func remember(_ bytes: some Sequence<UInt8>, at path: String) {
        guard makeFolder(of: path) else { return }
        try? Data(bytes).write(to: URL(filePath: path), options: .atomic)
    }
}
