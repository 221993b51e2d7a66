/// Why a model's configuration, or its weights as a whole, could not be used; every description is one line.
///
/// What is wrong with a single weight file is a ``SafetensorsError``.
public enum ModelError: Error, Equatable, Sendable {
    /// There is no configuration at `path`.
    case missingConfig(path: String)
    /// The system refused to read `path`.
    case unreadable(path: String, reason: String)
    /// The configuration at `path` is not understood, or contradicts itself.
    case invalidConfig(path: String, reason: String)
    /// The tensors in `directory` have the names of no known layout.
    case unknownLayout(directory: String, someNames: [String])
    /// The tensors bear a wrapper's words in their names; `example` is one.
    case wrappedNames(directory: String, example: String)
    /// There is a second network, with `example` among its tensors.
    case severalNetworks(directory: String, example: String)
    /// Tensors are part of the network that this package does not know; `names` holds the first few of `count`.
    case foreignTensors(directory: String, network: String, names: [String], count: Int)
    /// Tensors that the configuration calls for are not there; `names` holds the first few of `count`.
    case missingTensors(directory: String, names: [String], count: Int)
    /// A tensor has another shape than the configuration implies.
    case shapeContradictsConfig(path: String, tensor: String, expected: [Int], found: [Int], config: String)
    /// The weights have another number of blocks than the configuration says.
    case depthContradictsConfig(directory: String, weights: Int, config: Int)
    /// The directory at `directory` holds no tokenizer.
    case missingTokenizer(directory: String)
    /// The tokenizer at `path` is damaged, or of a kind that is not supported; `reason` says what to do.
    case invalidTokenizer(path: String, reason: String)

    /// The network in `directory` takes prompts, but there is nothing that encodes them.
    case noPromptEncoder(directory: String)
    /// The states of the text encoder are not as wide as `key` of the network's configuration says.
    case promptWidthContradictsConfig(directory: String, key: String, expected: Int, found: Int)

    /// What the failure means for a caller.
    public var kind: FailureKind {
        switch self {
        case .missingConfig, .missingTokenizer: .missingInput
        case .unreadable: .inputOutput
        default: .badData
        }
    }
}

extension ModelError: CustomStringConvertible {
    public var description: String { text.onOneLine }

    private var text: String {
        switch self {
        case .missingConfig(let path):
            "\(path): no such file; a model directory holds config.json and *.safetensors, or is a diffusers pipeline with "
                + "model_index.json, see weights-format.md"
        case .unreadable(let path, let reason):
            "\(path): cannot be read: \(reason)"
        case .invalidConfig(let path, let reason):
            "\(path): \(reason); see weights-format.md"
        case .unknownLayout(let directory, let someNames):
            "\(directory): the weights are of no known layout (they hold \(someNames.joined(separator: ", ")), …); "
                + "see weights-format.md for the names that are read"
        case .wrappedNames(let directory, let example):
            "\(directory): the tensors have the names of a wrapped model (\(example)); "
                + PickledCheckpoint.advice(convertingPartWith: directory)
        case .severalNetworks(let directory, let example):
            "\(directory): the weights hold two networks, the other one with \(example); "
                + PickledCheckpoint.advice(convertingPartWith: directory)
        case .foreignTensors(let directory, let network, let names, let count):
            "\(directory): another network than \(network): it also has \(count) "
                + "\(count == 1 ? "tensor" : "tensors") \(names.joined(separator: ", "))"
                + (count > names.count ? ", …" : "") + "; weights-format.md lists those that are read"
        case .missingTensors(let directory, let names, let count):
            "\(directory): \(count) \(count == 1 ? "tensor is" : "tensors are") missing: "
                + names.joined(separator: ", ") + (count > names.count ? ", …" : "")
                + "; check that config.json and the weights are of one model"
        case .shapeContradictsConfig(let path, let tensor, let expected, let found, let config):
            "\(path): tensor \(tensor) has shape \(found), but config.json (\(config)) implies \(expected); "
                + "they must be of one model"
        case .noPromptEncoder(let directory):
            "\(directory): the network takes prompts, but there is no text encoder beside it; add the folders text_encoder and "
                + "tokenizer, or give --text-encoder the T5 that it was trained with (MiniT2I: google/flan-t5-large)"
        case .promptWidthContradictsConfig(let directory, let key, let expected, let found):
            "\(directory): \(key) is \(expected), but the text encoder's states are \(found) wide; they must be of one model"
        case .depthContradictsConfig(let directory, let weights, let config):
            "\(directory): the weights have \(weights) blocks, but config.json says \(config); they must be of one model"
        case .missingTokenizer(let directory):
            "\(directory): no tokenizer: neither spiece.model nor tokenizer.json is there; they come with the text encoder's "
                + "weights, mostly in a folder tokenizer beside text_encoder"
        case .invalidTokenizer(let path, let reason):
            "\(path): \(reason)"
        }
    }
}
