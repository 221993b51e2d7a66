import Compute
import FoundationEssentials
import Models
import Synchronization

/// The directories in which a model's prompts are encoded.
struct PromptParts {
    /// That of the text encoder's `config.json` and weights.
    let encoder: String
    /// That of the tokenizer's files.
    let tokenizer: String

    /// The parts `text_encoder` and `tokenizer` of the pipeline at `path`; nil where it has neither.
    ///
    /// - Throws: ``PipelineError/missingInput(_:)`` where it has only one of them.
    init?(pipeline path: String) throws(PipelineError) {
        encoder = "\(path)/text_encoder"
        tokenizer = "\(path)/tokenizer"
        let parts = [encoder, tokenizer]
        let found = parts.filter { FileManager.default.fileExists(atPath: $0) }
        if found.isEmpty { return nil }
        if let missing = parts.first(where: { !found.contains($0) }) {
            throw .missingInput(
                "\(missing): no such directory, but a part of the model (beside \(found[0])); fetch the whole model, or give "
                    + "--text-encoder a directory that has both")
        }
    }

    /// A text encoder that a person names: a pipeline's directory, or that of an encoder of the transformers library with
    /// its tokenizer in it or beside it.
    ///
    /// - Throws: ``PipelineError`` where a part is missing.
    init(directory path: String) throws(PipelineError) {
        if let pipeline = try PromptParts(pipeline: path) {
            self = pipeline
            return
        }
        guard FileManager.default.fileExists(atPath: "\(path)/config.json") else {
            throw .missingInput(
                "--text-encoder \(path): no config.json and no text_encoder; give a T5 encoder's directory")
        }
        encoder = path
        let beside = "\(path)/../tokenizer"
        tokenizer = FileManager.default.fileExists(atPath: beside) ? beside : path
    }
}

/// What encodes a model's prompts: its text encoder, of which only the headers have been read, and its tokenizer.
///
/// What it reads of the rest, it reads once.
public final class PromptSource: Sendable {
    /// The directory of the text encoder's `config.json` and weights.
    public let encoder: String
    /// The directory of the tokenizer's files.
    public let tokenizer: String
    /// The encoder's weights.
    public let archive: WeightArchive
    /// The variant of the weights; nil for the plain ones.
    private let variant: String?
    private let opened = Mutex<UnigramTokenizer?>(nil)
    private let hashed = Mutex<String?>(nil)

    /// Reads the headers of the weights.
    ///
    /// - Throws: ``SafetensorsError`` where there are none.
    init(_ parts: PromptParts, variant: String?) throws {
        encoder = parts.encoder
        tokenizer = parts.tokenizer
        let hasVariant = variant.map { WeightArchive.variants(in: parts.encoder).contains($0) } ?? false
        self.variant = hasVariant ? variant : nil
        archive = try WeightArchive(directory: encoder, variant: self.variant)
    }

    /// The SHA-256 of weights, configuration and tokenizer, which decide what a prompt is encoded to.
    var identity: String {
        hashed.withLock { known in
            if let known { return known }
            let files = ["\(encoder)/config.json", "\(tokenizer)/spiece.model", "\(tokenizer)/tokenizer.json"]
            let hashes = files.map { SHA256.hexadecimal(InputFile.bytes(of: $0, most: 1 << 26) ?? []) }
            let identity = SHA256.hexadecimal(([ModelHash.of(archive.files)] + hashes).joined().utf8)
            known = identity
            return identity
        }
    }

    /// Opens both parts, of the encoder only the headers: its weights are read when a prompt is new.
    ///
    /// - Parameters:
    ///   - engine: what multiplies.
    ///   - beginning: called before a prompt is encoded.
    /// - Returns: the encoder, which keeps states in the user's cache folder.
    /// - Throws: ``ModelError`` or ``SafetensorsError`` where a part is damaged or of a kind that is not supported.
    func open(engine: any Engine, beginning: @escaping () -> Void = {}) throws -> any PromptEncoder {
        ToldPromptEncoder(
            T5PromptEncoder(
                tokenizer: try openTokenizer(),
                encoder: try T5Encoder(directory: encoder, variant: variant, engine: engine), cache: EmbeddingStore()),
            beginning: beginning)
    }

    /// Opens the tokenizer.
    ///
    /// - Throws: ``ModelError`` where it is missing, damaged or of a kind that is not supported.
    public func openTokenizer() throws(ModelError) -> UnigramTokenizer {
        if let known = opened.withLock({ $0 }) { return known }
        let new = try UnigramTokenizer(directory: tokenizer)
        opened.withLock { $0 = new }
        return new
    }
}

/// An encoder that says when it begins.
private final class ToldPromptEncoder: PromptEncoder, @unchecked Sendable {
    private let base: any PromptEncoder
    // Called on the thread that begins a run, as all events of a session are.
    private let beginning: () -> Void

    init(_ base: any PromptEncoder, beginning: @escaping () -> Void) {
        self.base = base
        self.beginning = beginning
    }

    var width: Int { base.width }

    func states(of prompt: String, limit: Int, length: Int?, workers: Workers) throws -> Tensor {
        beginning()
        return try base.states(of: prompt, limit: limit, length: length, workers: workers)
    }
}

/// What a model makes of a prompt, before anything is drawn.
public struct PromptReading: Sendable {
    /// The prompt.
    public let prompt: String
    /// Its tokens, and what of it the model cannot follow.
    public let tokenized: TokenizedPrompt

    /// What to tell a person; nil where the model reads all of it.
    public var warning: String? {
        var parts: [String] = []
        if let rest = tokenized.cutOff {
            parts.append("the model reads \(tokenized.ids.count) tokens; cut off: '\(Self.short(rest))'")
        }
        if !tokenized.unknown.isEmpty {
            let words = tokenized.unknown.prefix(8).map { "'\(Self.short($0))'" }.joined(separator: ", ")
            parts.append(
                "not in the model's vocabulary: \(words)" + (tokenized.unknown.count > 8 ? ", …" : ""))
        }
        return parts.isEmpty ? nil : "prompt '\(Self.short(prompt))': \(parts.joined(separator: "; "))"
    }

    private static func short(_ text: String) -> String {
        (text.count > 60 ? "\(text.prefix(60))…" : text).onOneLine
    }
}
