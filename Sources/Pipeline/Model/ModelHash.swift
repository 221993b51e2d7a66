import FoundationEssentials
import Models

/// The SHA-256 of a model's weight files, which ties images and plans to the model that they were made with.
enum ModelHash {
    /// The hash of the files' hashes, in the order of their names, in hexadecimal digits.
    ///
    /// Computed hashes are remembered in the user's cache folder by path, size and time of change, so that a large
    /// checkpoint is read once. The memory is an optimisation: where it cannot be read or written, the files are read.
    static func of(_ files: [SafetensorsFile]) -> String {
        let hashes = files.map { hash(of: $0) }
        return hashes.count == 1 ? hashes[0] : SHA256.hexadecimal(hashes.joined().utf8)
    }

    private static func hash(of file: SafetensorsFile) -> String {
        let memory = memoryPath(for: file.path)
        if let memory, let text = try? String(contentsOf: URL(filePath: memory), encoding: .utf8), text.count == 64 {
            return text
        }
        let hash = file.withBytes { bytes in
            var hash = SHA256()
            hash.update(bytes)
            return hash.finish()
        }
        if let memory {
            let folder = String(memory.prefix(upTo: memory.lastIndex(of: "/") ?? memory.startIndex))
            try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try? Data(hash.utf8).write(to: URL(filePath: memory), options: .atomic)
        }
        return hash
    }

    /// The file whose name is the hash of path, size and time of change, and whose content is the weights' hash.
    private static func memoryPath(for path: String) -> String? {
        let environment = ProcessInfo.processInfo.environment
        let cache =
            environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : $0 }
            ?? environment["HOME"].map { "\($0)/.cache" }
        guard let cache,
            let attributes = try? FileManager.default.attributesOfItem(atPath: path),
            let size = attributes[.size], let changed = attributes[.modificationDate] as? Date
        else { return nil }
        let absolute = URL(filePath: path).standardizedFileURL.path
        let key = "\(absolute)\n\(size)\n\(changed.timeIntervalSince1970)"
        return "\(cache)/omnicache/hashes/\(SHA256.hexadecimal(key.utf8))"
    }
}
