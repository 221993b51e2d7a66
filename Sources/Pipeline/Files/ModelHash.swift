import FoundationEssentials
import Models
import Synchronization

/// The SHA-256 of a model's weight files, which ties images and plans to the model that they were made with.
enum ModelHash {
    /// The hash of the files' hashes, in the order of their names, in hexadecimal digits.
    ///
    /// Hashes are kept in the user's cache folder by device, inode, size and time of change of the mapped file, so that a
    /// large checkpoint is read once; where that folder cannot be read or written, once in each process.
    static func of(_ files: [SafetensorsFile]) -> String {
        let hashes = files.map { hash(of: $0) }
        return hashes.count == 1 ? hashes[0] : SHA256.hexadecimal(hashes.joined().utf8)
    }

    /// The hashes that this process has computed, by the files' identities.
    private static let computed = Mutex<[String: String]>([:])

    private static func hash(of file: SafetensorsFile) -> String {
        if let known = computed.withLock({ $0[file.identity] }) { return known }
        file.awaitRest()
        let memory = memoryPath(for: file.identity)
        if let memory, let text = try? String(contentsOf: URL(filePath: memory), encoding: .utf8), text.count == 64,
            text.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
        {
            return text
        }
        let sum = SHA256()
        file.forEachPiece { sum.update($0) }
        let hash = sum.finish()
        // What was read of a file that has changed meanwhile is unknown.
        guard file.isUnchanged else { return hash }
        computed.withLock { $0[file.identity] = hash }
        if let memory { UserCache.remember(hash.utf8, at: memory) }
        return hash
    }

    /// The file whose name is the hash of a file's identity, and whose content is the weights' hash.
    private static func memoryPath(for identity: String) -> String? {
        UserCache.folder("hashes").map { "\($0)/\(SHA256.hexadecimal(identity.utf8))" }
    }
}
