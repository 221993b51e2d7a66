/// Which safetensors files of a directory are its weights; weights-format.md states the rule.
///
/// Where diffusers makes a choice, this is the same one (modeling_utils.py and model_loading_utils.py, version 0.42.1).
struct WeightChoice: Equatable {
    /// The index of the shards; nil when the weights are one file.
    let index: String?
    /// The file that holds all weights; nil when there are only shards.
    let single: String?
    /// The word by which the files differ from the plain ones, such as fp16; nil for the plain ones.
    let variant: String?

    /// The names that diffusers and others give to weights.
    private static let usualStems = ["diffusion_pytorch_model", "model"]

    /// Chooses among the files of `directory`; nil if there are no safetensors files.
    ///
    /// - Parameters:
    ///   - contents: the names of all files there.
    ///   - directory: its path, for errors.
    ///   - variant: the variant to take where it is there; nil for the plain files, or the only variant.
    /// - Throws: ``SafetensorsError`` when the choice is not clear, or when there are shards without an index.
    init?(from contents: [String], in directory: String, variant: String?) throws(SafetensorsError) {
        let names = contents.compactMap(WeightFileName.init).sorted { $0.name < $1.name }
        guard let stem = try Self.stem(names.filter { !$0.isShard }, in: directory) else {
            guard let shard = names.first else { return nil }
            throw .shardsWithoutIndex(directory: directory, shard: shard.name)
        }
        let ofStem = Dictionary(grouping: names.filter { !$0.isShard && $0.stem == stem }, by: \.variant)
        let chosen = variant.flatMap { ofStem[$0] } ?? ofStem[nil] ?? (ofStem.count == 1 ? ofStem.first?.value : nil)
        guard let chosen else {
            throw .severalVariants(directory: directory, variants: ofStem.keys.compactMap(\.self).sorted())
        }
        let (indices, singles) = (chosen.filter(\.isIndex), chosen.filter { !$0.isIndex })
        guard indices.count <= 1, singles.count <= 1 else {
            throw .ambiguousWeights(
                directory: directory, candidates: (indices.count > 1 ? indices : singles).map(\.name))
        }
        self.index = indices.first?.name
        self.single = singles.first?.name
        self.variant = chosen.first?.variant
    }

    /// The variants that the files of a directory come in.
    static func variants(in contents: [String]) -> Set<String> {
        Set(contents.compactMap(WeightFileName.init).filter { !$0.isShard }.compactMap(\.variant))
    }

    /// The stem of the weights: a usual one, else that of the only index, else that of the only file.
    private static func stem(_ names: [WeightFileName], in directory: String) throws(SafetensorsError) -> String? {
        let usual = names.filter { usualStems.contains($0.stem) }
        let indices = names.filter(\.isIndex)
        let candidates = !usual.isEmpty ? usual : !indices.isEmpty ? indices : names
        guard Set(candidates.map(\.stem)).count <= 1 else {
            throw .ambiguousWeights(directory: directory, candidates: candidates.map(\.name))
        }
        return candidates.first?.stem
    }
}

/// The name of a safetensors file or of an index of such, taken apart.
private struct WeightFileName {
    let name: String
    /// The name before the first dot.
    let stem: String
    /// What else is in the name, such as fp16 in `model.fp16.safetensors`, `model.safetensors.index.fp16.json` and
    /// `model.safetensors.fp16.index.json`; nil for nothing.
    let variant: String?
    let isIndex: Bool
    /// Whether it is one of several files, such as `model-00001-of-00002.safetensors`.
    let isShard: Bool

    /// Nil if it is neither, or hidden, as the companions are that macOS writes.
    init?(_ name: String) {
        var parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard let stem = parts.first, !stem.isEmpty, let format = parts.lastIndex(of: "safetensors"), format > 0 else {
            return nil
        }
        let end = parts[(format + 1)...]
        isIndex = end.last == "json" && end.contains("index")
        guard isIndex || end.isEmpty else { return nil }
        isShard = parts[..<format].contains(where: Self.isShard)
        parts.removeAll { ["safetensors", "index", "json"].contains($0) }
        self.name = name
        self.stem = String(stem)
        variant = parts.count > 1 ? parts.dropFirst().joined(separator: ".") : nil
    }

    /// Whether a part of a name ends like `-00001-of-00002`; the only one of one is a whole file.
    private static func isShard(_ part: Substring) -> Bool {
        let words = part.split(separator: "-").suffix(3)
        guard words.count == 3, words.dropFirst().first == "of", let first = words.first, Int(first) != nil,
            let total = words.last.flatMap({ Int($0) })
        else { return false }
        return total > 1
    }
}

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
