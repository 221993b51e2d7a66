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
}
