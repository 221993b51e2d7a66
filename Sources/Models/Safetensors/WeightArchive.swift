import Compute
import FoundationEssentials

/// A model directory's weights, from one safetensors file or from shards, as one collection of named tensors.
public struct WeightArchive: Sendable {
    public let directory: String
    /// The weight files, in the order of their names.
    public let files: [SafetensorsFile]
    /// The variant that was chosen, such as fp16; nil for the plain files.
    public let variant: String?

    private let fileOfTensor: [String: SafetensorsFile]

    /// The names of all tensors, sorted.
    public var names: [String] { fileOfTensor.keys.sorted() }

    /// Opens the weights in `directory`.
    ///
    /// Which of several files they are is the rule of weights-format.md: an index wins over a single file, plain files win
    /// over variants.
    ///
    /// - Parameters:
    ///   - directory: the path of the directory.
    ///   - variant: the variant to take if it is there, such as fp16; nil for the plain files, or the only variant.
    /// - Throws: ``SafetensorsError`` when there are none, when the choice is not clear, or when a file is bad.
    public init(directory: String, variant: String? = nil) throws(SafetensorsError) {
        self.directory = directory
        let contents = try Self.list(directory)
        let choice = try WeightChoice(from: contents, in: directory, variant: variant)
        self.variant = choice?.variant
        if let index = choice?.index {
            (files, fileOfTensor) = try Self.open(index: index, beside: choice?.single, in: directory, contents)
        } else if let single = choice?.single {
            (files, fileOfTensor) = try Self.open(single: "\(directory)/\(single)")
        } else {
            throw .noWeights(directory: directory, hint: Self.hint(contents, in: directory))
        }
    }

    /// The variants in which the weights in `directory` are there; none if it cannot be read.
    package static func variants(in directory: String) -> Set<String> {
        WeightChoice.variants(in: (try? list(directory)) ?? [])
    }

    /// What the header says about the tensor `name`; nil when there is none.
    public func entry(_ name: String) -> SafetensorsEntry? {
        fileOfTensor[name]?.entry(name)
    }

    /// Loads tensors, joined along the first dimension and widened to `Float`.
    ///
    /// - Parameters:
    ///   - names: the tensors to join, in order; mostly one.
    ///   - storedShape: the shape that each of them must have in the file.
    ///   - shape: the shape of the result, of as many elements as all of them have together.
    /// - Returns: a new tensor.
    /// - Throws: ``SafetensorsError`` when one is missing, has another shape, cannot be widened, or is not finite.
    public func tensor(
        joining names: [String], storedShape: [Int], shape: [Int]
    ) throws(SafetensorsError) -> Tensor {
        let parts = try parts(names, storedShape: storedShape)
        let tensor = Tensor(uninitialized: shape)
        let share = storedShape.reduce(1, *)
        precondition(tensor.count == share * parts.count, "\(parts.count) of \(storedShape) do not fill \(shape)")
        for (index, part) in parts.enumerated() {
            let rows = UnsafeMutableBufferPointer(rebasing: tensor.values[index * share..<(index + 1) * share])
            try part.file.read(part.entry, into: rows)
        }
        return tensor
    }

    /// The matrix of tensors that are joined along the first dimension.
    ///
    /// A single tensor is memory-mapped and used in place if its numbers have 32 bits, or if `precision` allows 16.
    ///
    /// - Parameters:
    ///   - names: the tensors to join, in order; mostly one.
    ///   - storedShape: the shape that each of them must have in the file.
    ///   - shape: the shape of the matrix.
    ///   - precision: how wide the numbers are in memory.
    ///   - isChecked: whether numbers that are used in place are looked at, all of them, to find those that are not finite.
    /// - Returns: a matrix that may read the mapped file.
    /// - Throws: ``SafetensorsError`` when one is missing, has another shape, cannot be widened, or is not finite.
    func matrix(
        joining names: [String], storedShape: [Int], shape: [Int], precision: WeightPrecision, isChecked: Bool = true
    ) throws(SafetensorsError) -> WeightMatrix {
        var matrices: [WeightMatrix] = []
        for part in try parts(names, storedShape: storedShape)
        where part.entry.elementType == .f32 || precision == .stored {
            let share = [shape[0] / names.count, shape[1]]
            let matrix = try part.file.matrix(part.entry, shape: share, isChecked: isChecked)
            if let matrix { matrices.append(matrix) }
        }
        guard matrices.count == names.count, let joined = WeightMatrix(joining: matrices) else {
            return WeightMatrix(try tensor(joining: names, storedShape: storedShape, shape: shape))
        }
        return joined
    }

    /// The tensors of the given names, checked.
    private func parts(
        _ names: [String], storedShape: [Int]
    ) throws(SafetensorsError) -> [(file: SafetensorsFile, entry: SafetensorsEntry)] {
        var parts: [(file: SafetensorsFile, entry: SafetensorsEntry)] = []
        for name in names {
            guard let file = fileOfTensor[name], let entry = file.entry(name) else {
                throw .missingTensor(path: directory, tensor: name)
            }
            try file.check(entry, shape: storedShape)
            parts.append((file, entry))
        }
        return parts
    }

    /// Loads the tensor `name`, which must have the given shape, widened to `Float`.
    ///
    /// - Throws: ``SafetensorsError`` when it is missing, has another shape, cannot be widened, or is not finite.
    public func tensor(_ name: String, shape: [Int]) throws(SafetensorsError) -> Tensor {
        try tensor(joining: [name], storedShape: shape, shape: shape)
    }

    /// Loads the tensor `name`, widened to `Float`, into the caller's memory.
    ///
    /// - Parameters:
    ///   - name: the tensor.
    ///   - destination: as many elements as the tensor has.
    /// - Throws: ``SafetensorsError`` when it is missing, cannot be widened, or is not finite.
    func read(_ name: String, into destination: UnsafeMutableBufferPointer<Float>) throws(SafetensorsError) {
        for part in try parts([name], storedShape: entry(name)?.shape ?? []) {
            try part.file.read(part.entry, into: destination)
        }
    }

    /// Loads one row of the matrix `name`, widened to `Float`, into the caller's memory, which has its width.
    ///
    /// - Throws: ``SafetensorsError`` when it is missing, cannot be widened, or is not finite.
    func read(
        row: Int, of name: String, into destination: UnsafeMutableBufferPointer<Float>
    ) throws(SafetensorsError) {
        for part in try parts([name], storedShape: entry(name)?.shape ?? []) {
            try part.file.read(part.entry, from: row * destination.count, into: destination)
        }
    }

    /// The path of the file that holds the tensor `name`; the directory when none does.
    func path(of name: String) -> String {
        fileOfTensor[name]?.path ?? directory
    }
}

// MARK: - Opening

extension WeightArchive {
    private typealias Contents = (files: [SafetensorsFile], fileOfTensor: [String: SafetensorsFile])

    private static func list(_ directory: String) throws(SafetensorsError) -> [String] {
        var isDirectory = false
        guard FileManager.default.fileExists(atPath: directory, isDirectory: &isDirectory) else {
            throw .missingFile(path: directory)
        }
        guard isDirectory else {
            throw .unreadable(path: directory, reason: "it is not a directory; give the directory of the model")
        }
        do {
            return try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
        } catch {
            throw .unreadable(path: directory, reason: "it cannot be listed; check its permissions")
        }
    }

    private static func hint(_ contents: [String], in directory: String) -> String {
        if contents.contains("model_index.json") && contents.contains("transformer") {
            return "this is a diffusers pipeline: its network is in the subdirectory transformer"
        }
        if let checkpoint = contents.first(where: PickledCheckpoint.isNamedLikeOne) {
            return "\(checkpoint) is a PyTorch checkpoint: "
                + PickledCheckpoint.advice(converting: directory, firstOf: checkpoint)
        }
        return "weights-format.md says what a model directory holds"
    }

    private static func open(single path: String) throws(SafetensorsError) -> Contents {
        let file = try SafetensorsFile(path: path)
        return ([file], Dictionary(file.entries.map { ($0.name, file) }, uniquingKeysWith: { first, _ in first }))
    }

    /// Opens the shards of an index; `single` is a file that could be meant in their place.
    private static func open(
        index name: String, beside single: String?, in directory: String, _ contents: [String]
    ) throws(SafetensorsError) -> Contents {
        let path = "\(directory)/\(name)"
        let index = try ShardIndex(path: path)
        if let single, let missing = index.shards.first(where: { !contents.contains($0) }) {
            throw .missingShardBesideFile(index: path, shard: missing, file: single)
        }
        var files: [String: SafetensorsFile] = [:]
        for shard in index.shards {
            do {
                files[shard] = try SafetensorsFile(path: "\(directory)/\(shard)")
            } catch .missingFile {
                throw .missingShard(index: path, shard: shard)
            }
        }
        var fileOfTensor: [String: SafetensorsFile] = [:]
        for (tensor, shard) in index.shardOfTensor {
            guard let file = files[shard], file.entry(tensor) != nil else {
                throw .tensorNotInShard(index: path, shard: shard, tensor: tensor)
            }
            fileOfTensor[tensor] = file
        }
        return (index.shards.compactMap { files[$0] }, fileOfTensor)
    }
}

/// The width of the large weight matrices' numbers in memory; results do not depend on it.
public enum WeightPrecision: String, CaseIterable, Sendable {
    /// 32 bits: fastest. Files of 32 bits are memory-mapped, and so shared between processes.
    case float32
    /// As wide as in the file: 16-bit numbers are memory-mapped and widened panel by panel while computing.
    case stored
}
