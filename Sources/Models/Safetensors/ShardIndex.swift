/// The index of a model in several safetensors files: which tensor is in which file.
struct ShardIndex {
    /// The tensors and the names of the files that hold them, in the index's order.
    let shardOfTensor: [(tensor: String, shard: String)]

    /// The names of the files, each once, sorted.
    var shards: [String] { Set(shardOfTensor.map(\.shard)).sorted() }

    /// Reads the index at `path`: a JSON object whose member `weight_map` maps tensor names to file names.
    ///
    /// - Throws: ``SafetensorsError`` when it is missing, not such an object, or names a file outside its directory.
    init(path: String) throws(SafetensorsError) {
        let file = try MappedFile(path: path)
        let value: JSONValue
        do {
            value = try StrictJSON.parse(Array(file.bytes))
        } catch {
            throw .malformedIndex(path: path, reason: "\(error.reason) at byte \(error.offset)")
        }
        guard
            case .object(let members) = value,
            case .object(let map)? = members.first(where: { $0.key == "weight_map" })?.value
        else {
            throw .malformedIndex(path: path, reason: "it has no object weight_map")
        }
        var shardOfTensor: [(tensor: String, shard: String)] = []
        for member in map {
            guard case .string(let shard) = member.value, Self.isPlainName(shard) else {
                throw .malformedIndex(
                    path: path, reason: "the shard of \(member.key) is not the name of a file beside the index")
            }
            shardOfTensor.append((member.key, shard))
        }
        guard !shardOfTensor.isEmpty else { throw .malformedIndex(path: path, reason: "its weight_map is empty") }
        self.shardOfTensor = shardOfTensor
    }

    private static func isPlainName(_ name: String) -> Bool {
        name.hasSuffix(".safetensors") && !name.utf8.contains(UInt8(ascii: "/")) && !name.utf8.contains(0)
    }
}
