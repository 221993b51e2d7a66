import Compute

/// The encoder of a T5, which turns tokens into states that a text-conditional network attends to.
///
/// It runs block by block over the mapped weights: a block's matrices are used where they are stored, then dropped, and
/// their memory is given back. So the encoder of T5-XXL, 9.5 GB in bfloat16, needs a twentieth of that.
///
/// Unless padding is asked for, only real tokens are encoded. That is exact: padding is masked in every attention, so no real
/// token's state depends on it.
///
/// Source: transformers' models/t5/modeling_t5.py, `T5EncoderModel`.
public final class T5Encoder: Sendable {
    public let config: T5Config

    private let path: String
    private let archive: WeightArchive
    private let engine: any Engine
    /// The name under which the states of single tokens are stored.
    private let embedding: String

    /// The weight files.
    public var files: [SafetensorsFile] { archive.files }

    /// A text that names all that states depend on besides weights and tokens; OpenBLAS must be open.
    public var identity: String { "\(config.sizes), \(config.conventions), \(engine.identity), \(Self.arithmetic)" }

    /// Another number whenever the same weights and tokens give other bits than before.
    private static let arithmetic = 2

    /// Opens the encoder in `directory`, a folder that transformers has written: `config.json` and safetensors, in one file
    /// or in several, of 32 or 16 bits.
    ///
    /// It reads what the files say of the weights, and none of them.
    ///
    /// - Parameters:
    ///   - directory: the folder, mostly `text_encoder` of a pipeline.
    ///   - variant: the variant of the weights to take if it is there, such as fp16.
    ///   - engine: what multiplies.
    /// - Throws: ``ModelError`` or ``SafetensorsError`` when something is missing or damaged, or when the weights do not fit
    ///   the configuration.
    public init(directory: String, variant: String? = nil, engine: any Engine = OpenBLASEngine()) throws {
        path = "\(directory)/config.json"
        config = try T5Config(file: JSONFile(path: path))
        archive = try WeightArchive(directory: directory, variant: variant)
        self.engine = engine
        // A tied copy; which of the two a file keeps depends on what has written it.
        embedding =
            ["shared.weight", "encoder.embed_tokens.weight"].first { [archive] in archive.entry($0) != nil }
            ?? "shared.weight"
        let parameters =
            [Parameter(embedding, [config.vocabulary, config.width])] + Self.biases(config).parameters
            + (0..<config.depth).flatMap { [config] in T5Block.declared($0, config).parameters }
            + Self.finalNorm(config).parameters
        try archive.checkNames(of: parameters, keys: KeyTable([:]), network: "the T5 encoder of config.json") {
            $0.hasPrefix("encoder.") && $0 != "encoder.embed_tokens.weight"
        }
        try archive.checkShapes(of: parameters, keys: KeyTable([:]), sizes: config.sizes)
    }

    private static func biases(_ config: T5Config) -> Declared<Tensor> {
        .tensor(
            "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", [config.buckets, config.heads])
    }

    private static func finalNorm(_ config: T5Config) -> Declared<Tensor> {
        .tensor("encoder.final_layer_norm.weight", [config.width])
    }

    /// The token that fills prompts up. No other token attends to it.
    static let padding: Int32 = 0

    /// The states of tokens.
    ///
    /// - Parameters:
    ///   - ids: the T tokens, the end token included, and perhaps ``padding`` behind them.
    ///   - workers: the threads to use.
    /// - Returns: (T, D).
    /// - Throws: ``ModelError`` when there is no such token, ``SafetensorsError`` when a weight cannot be loaded or is not
    ///   finite, `MachineError` when the engine cannot multiply here.
    public func encode(ids: [Int32], workers: Workers) throws -> Tensor {
        try BLAS.open()
        guard !ids.isEmpty else { return Tensor([0, config.width]) }
        let padding = ids.reversed().prefix { $0 == Self.padding }.count
        let w = T5Workspace(
            config, tokens: ids.count, keys: max(1, ids.count - padding), engine: engine, workers: workers)
        try embed(ids, into: w.states)
        let bias = RelativePositionBias(try part(Self.biases(config)), tokens: ids.count, config: config)
        for index in 0..<config.depth {
            // Read, used and dropped: one block's weights are in memory at a time.
            let block = T5Block.declared(index, config)
            try part(block, isChecked: false).forward(w, bias: bias)
            // Names the weight that is at fault, if one is.
            if !w.areFinite { _ = try part(block) }
        }
        w.normalise(w.states, by: try part(Self.finalNorm(config)), into: w.states)
        return w.states
    }

    private func embed(_ ids: [Int32], into states: Tensor) throws {
        for (row, id) in ids.enumerated() {
            guard (0..<config.vocabulary).contains(Int(id)) else {
                throw ModelError.invalidConfig(
                    path: path,
                    reason: "vocab_size is \(config.vocabulary), but the tokenizer gives the token \(id); tokenizer "
                        + "and text encoder must be of one model")
            }
            let start = row * config.width
            try archive.read(
                row: Int(id), of: embedding,
                into: UnsafeMutableBufferPointer(rebasing: states.values[start..<start + config.width]))
        }
    }

    /// A part whose names and shapes have been checked when the encoder was opened.
    private func part<Part>(_ declared: Declared<Part>, isChecked: Bool = true) throws -> Part {
        try declared.made(
            from: StoredParameters(
                archive, precision: .stored, isChecked: isChecked, engine: engine, parameters: declared.parameters))
    }
}
