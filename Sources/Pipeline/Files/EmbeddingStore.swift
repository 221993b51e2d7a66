import Compute
import FoundationEssentials
import Glibc
import Models

/// Keeps the states of prompts in a folder, so that another process need not read the text encoder's weights.
///
/// An entry is named by the SHA-256 of what the states depend on: the encoder's weights, configuration and kernels, and the
/// tokens. It holds the SHA-256 of its numbers, then the numbers as `Float`s of this machine. The folder can be deleted at any
/// time; when it has grown beyond its limit, what was used longest ago is removed.
public struct EmbeddingStore: EmbeddingCache {
    private let folder: String
    private let limit: Int

    /// 256 MB: a thousand prompts of 60 tokens for T5-XXL.
    static let usualLimit = 256 << 20

    /// The folder `embeddings` of the user's cache folder; nil where there is no home.
    public init?() {
        guard let folder = UserCache.folder("embeddings") else { return nil }
        self.init(folder: folder, limit: Self.usualLimit)
    }

    /// A folder that takes at most `limit` bytes.
    init(folder: String, limit: Int) {
        self.folder = folder
        self.limit = limit
    }

    public func states(of ids: [Int32], by encoder: T5Encoder) -> Tensor? {
        let (name, shape) = (name(of: ids, by: encoder), [ids.count, encoder.config.width])
        let size = Self.digits + 4 * shape[0] * shape[1]
        guard let bytes = try? UntrustedFolder(path: "\(folder)/").read(name, most: size, missing: ""),
            bytes.count == size
        else { return nil }
        let numbers = bytes[Self.digits...]
        guard bytes[..<Self.digits].elementsEqual(SHA256.hexadecimal(numbers).utf8) else { return nil }
        markUsed("\(folder)/\(name)")
        let states = Tensor(uninitialized: shape)
        UnsafeMutableRawBufferPointer(states.values).copyBytes(from: numbers)
        return states
    }

    public func keep(_ states: Tensor, of ids: [Int32], by encoder: T5Encoder) {
        let numbers = withExtendedLifetime(states) { Array(UnsafeRawBufferPointer(states.values)) }
        let bytes = Array(SHA256.hexadecimal(numbers).utf8) + numbers
        let path = "\(folder)/\(name(of: ids, by: encoder))"
        // States of weights that are being written to belong to no encoder.
        guard bytes.count <= limit, encoder.files.allSatisfy(\.isUnchanged) else { return }
        makeRoom(for: bytes.count, besides: path)
        UserCache.remember(bytes, at: path)
        markUsed(path)
    }

    /// Notes when an entry was used: what was used last is removed last. The times that a file system notes by itself are those
    /// of its last clock tick, so that several entries of one tick could not be told apart.
    private func markUsed(_ path: String) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        utimensat(AT_FDCWD, path, [now, now], AT_SYMLINK_NOFOLLOW)
    }

    /// The length of a hash in hexadecimal digits.
    private static let digits = 64

    private func name(of ids: [Int32], by encoder: T5Encoder) -> String {
        let tokens = ids.map(String.init).joined(separator: " ")
        return SHA256.hexadecimal("\(ModelHash.of(encoder.files))\n\(encoder.identity)\n\(tokens)".utf8)
    }

    /// Removes what was used longest ago until there is room for `bytes`.
    private func makeRoom(for bytes: Int, besides path: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        var files: [(path: String, size: Int, used: (Int, Int))] = names.compactMap { name in
            let file = "\(folder)/\(name)"
            var status = stat()
            guard file != path, lstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
            return (file, Int(status.st_size), (status.st_mtim.tv_sec, status.st_mtim.tv_nsec))
        }
        files.sort { $0.used < $1.used }
        var total = files.reduce(bytes) { $0 + $1.size }
        for file in files where total > limit {
            if unlink(file.path) == 0 { total -= file.size }
        }
    }
}
