/// Why a safetensors file, or a directory of them, could not be used; every description is one line.
public enum SafetensorsError: Error, Equatable, Sendable {
    /// There is no file at `path`.
    case missingFile(path: String)
    /// The directory at `path` holds no safetensors file.
    case noWeights(directory: String, hint: String)
    /// The system refused to open, map or list `path`.
    case unreadable(path: String, reason: String)
    /// A file of a directory has a name that is no text.
    case unreadableName(path: String)
    /// A file that is in use has been written to.
    case changed(path: String)
    /// Bytes of a file that is in use are gone.
    case lost(path: String)
    /// The directory holds several candidates, none of which has a conventional name.
    case ambiguousWeights(directory: String, candidates: [String])
    /// The weights come in several variants only, without plain files.
    case severalVariants(directory: String, variants: [String])
    /// No part of a model has the requested variant; `found` lists those that are there.
    case noSuchVariant(directory: String, variant: String, found: [String])
    /// There are shards, but nothing that says which tensor is in which.
    case shardsWithoutIndex(directory: String, shard: String)
    /// A shard of the index is not there, but a single file is.
    case missingShardBesideFile(index: String, shard: String, file: String)
    /// The file is of another kind, such as a Git LFS pointer.
    case anotherFormat(path: String, found: String, advice: String)
    /// The file, or its header, breaks the format.
    case malformed(path: String, reason: String)
    /// One tensor's entry in the header breaks the format.
    case malformedTensor(path: String, tensor: String, reason: String)
    /// The index of a sharded model breaks its format.
    case malformedIndex(path: String, reason: String)
    /// The index names a shard that is not there.
    case missingShard(index: String, shard: String)
    /// The index promises a tensor that its shard lacks.
    case tensorNotInShard(index: String, shard: String, tensor: String)
    /// No tensor of this name is there.
    case missingTensor(path: String, tensor: String)
    /// A tensor has another shape than the caller requires.
    case wrongShape(path: String, tensor: String, expected: [Int], found: [Int])
    /// A tensor's element type cannot be loaded.
    case unsupportedElementType(path: String, tensor: String, found: String)
    /// A tensor holds a NaN or an infinity; `index` counts elements in row-major order.
    case notFinite(path: String, tensor: String, index: Int)

    /// What the failure means for a caller.
    public var kind: FailureKind {
        switch self {
        case .missingFile, .noWeights, .noSuchVariant, .shardsWithoutIndex, .missingShard: .missingInput
        case .unreadable, .changed, .lost: .inputOutput
        default: .badData
        }
    }
}

extension SafetensorsError: CustomStringConvertible {
    public var description: String { text.onOneLine }

    private var text: String {
        switch self {
        case .missingFile(let path):
            "\(path): no such file; check the path"
        case .noWeights(let directory, let hint):
            "\(directory): no .safetensors file in this directory; \(hint)"
        case .unreadable(let path, let reason):
            "\(path): cannot be read: \(reason)"
        case .unreadableName(let path):
            "\(path): the name is not UTF-8; rename the file"
        case .changed(let path):
            "\(path): was written to while it was in use, so no result of it is kept; put the right file there and "
                + "run the same command again"
        case .lost(let path):
            "\(path): was cut short while it was in use, or its disk fails; put the right file there and run the same "
                + "command again"
        case .ambiguousWeights(let directory, let candidates):
            "\(directory): cannot choose between \(candidates.joined(separator: ", ")); keep the one that is meant in this "
                + "directory"
        case .severalVariants(let directory, let variants):
            "\(directory): the weights are there as \(variants.joined(separator: ", ")) and not plain; choose one with "
                + "--variant NAME"
        case .noSuchVariant(let directory, let variant, let found):
            "--variant \(variant): no part of \(directory) has it; "
                + (found.isEmpty ? "leave the option out" : "there are \(found.joined(separator: ", "))")
        case .shardsWithoutIndex(let directory, let shard):
            "\(directory): \(shard) is one of several files, but their index (*.safetensors.index.json) is missing; put it "
                + "beside them"
        case .missingShardBesideFile(let index, let shard, let file):
            "\(index): the shard \(shard) is missing, but there is \(file); fetch the shards, or remove the index if that "
                + "file is meant"
        case .anotherFormat(let path, let found, let advice):
            "\(path): not a safetensors file but \(found); \(advice)"
        case .malformed(let path, let reason):
            "\(path): not a valid safetensors file: \(reason); fetch or export the file again"
        case .malformedTensor(let path, let tensor, let reason):
            "\(path): tensor \(tensor): \(reason); fetch or export the file again"
        case .malformedIndex(let path, let reason):
            "\(path): not a valid index: \(reason); fetch or export the model again"
        case .missingShard(let index, let shard):
            "\(index): the shard \(shard) is missing; put it beside the index"
        case .tensorNotInShard(let index, let shard, let tensor):
            "\(index): says that \(tensor) is in \(shard), which lacks it; index and shards must be of one export"
        case .missingTensor(let path, let tensor):
            "\(path): tensor \(tensor) is missing; see weights-format.md for the names that are read"
        case .wrongShape(let path, let tensor, let expected, let found):
            "\(path): tensor \(tensor) has shape \(found), expected \(expected); check that the file fits the model"
        case .unsupportedElementType(let path, let tensor, let found):
            "\(path): tensor \(tensor) is of type \(found); only F32, F16 and BF16 can be loaded: "
                + PickledCheckpoint.advice(convertingPartWith: path) + " --dtype float32"
        case .notFinite(let path, let tensor, let index):
            "\(path): tensor \(tensor) is NaN or infinite at element \(index); the file is damaged, export it again"
        }
    }
}

/// The kind of a failure, from which the exit code follows.
public enum FailureKind: Sendable, Equatable {
    /// A file or directory is not there.
    case missingInput
    /// A file is there, but what it holds cannot be used.
    case badData
    /// The system refused to read a file that is there.
    case inputOutput
}
