import FoundationEssentials

/// How long the full run of one image took here when it was last made, remembered in the user's cache folder so that a
/// run that reuses can tell its speed-up.
///
/// The memory is a convenience: where it cannot be read or written, the time is not known.
public struct FullRunTime: Sendable {
    private let path: String?

    /// The memory for one model, its settings and a number of threads.
    public init(model: ImageRecord.Model, settings: SampleSettings, threads: Int) {
        struct Key: Encodable {
            let model: String
            let configuration: String
            let settings: SampleSettings
            let threads: Int
        }
        let key = Key(model: model.hash, configuration: model.configuration, settings: settings, threads: threads)
        path = UserCache.folder("times").map { "\($0)/\(SHA256.hexadecimal(ImageRecord.canonical(key)))" }
    }

    /// The seconds; nil when they are not known.
    public var seconds: Double? {
        path.flatMap { try? String(contentsOf: URL(filePath: $0), encoding: .utf8) }
            .flatMap { Double($0) }.flatMap { $0.isFinite && $0 > 0 ? $0 : nil }
    }

    /// Remembers the seconds.
    public func remember(_ seconds: Double) {
        if let path { UserCache.remember("\(seconds)", at: path) }
    }
}
