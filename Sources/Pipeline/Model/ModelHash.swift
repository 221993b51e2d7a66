import Crypto
import FoundationEssentials
import Models

/// The SHA-256 of a model's weight files, which ties images and plans to the model that they were made with.
enum ModelHash {
    /// The hexadecimal hash of the files' bytes, in the order of their names.
    ///
    /// Computed hashes are remembered in the user's cache folder by path, size and time of change, so that a large
    /// checkpoint is read once. The memory is an optimisation: where it cannot be read or written, the files are read.
    static func of(_ files: [SafetensorsFile]) -> String {
        var hasher = SHA256()
        for file in files { hasher.update(data: digest(of: file)) }
        return hasher.finalize().hexadecimal
    }

    private static func digest(of file: SafetensorsFile) -> [UInt8] {
        let memory = memoryPath(for: file.path)
        if let memory, let digest = try? Data(contentsOf: URL(filePath: memory)), digest.count == SHA256.byteCount {
            return Array(digest)
        }
        let digest = Array(file.withBytes { bytes in
            var hasher = SHA256()
            hasher.update(bufferPointer: bytes)
            return hasher.finalize()
        })
        if let memory {
            let folder = memory.prefix(upTo: memory.lastIndex(of: "/") ?? memory.startIndex)
            try? FileManager.default.createDirectory(atPath: String(folder), withIntermediateDirectories: true)
            try? Data(digest).write(to: URL(filePath: memory), options: .atomic)
        }
        return digest
    }

    /// The file whose name is the hash of path, size and time of change, and whose content is the digest.
    private static func memoryPath(for path: String) -> String? {
        let environment = ProcessInfo.processInfo.environment
        let cache = environment["XDG_CACHE_HOME"].flatMap { $0.isEmpty ? nil : $0 }
            ?? environment["HOME"].map { "\($0)/.cache" }
        guard let cache,
            let attributes = try? FileManager.default.attributesOfItem(atPath: path),
            let size = attributes[.size], let changed = attributes[.modificationDate] as? Date
        else { return nil }
        let absolute = URL(filePath: path).standardizedFileURL.path
        let key = "\(absolute)\n\(size)\n\(changed.timeIntervalSince1970)"
        return "\(cache)/omnicache/hashes/\(SHA256.hash(data: Data(key.utf8)).hexadecimal)"
    }
}

extension Digest {
    /// Two lower-case digits per byte.
    var hexadecimal: String {
        map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
