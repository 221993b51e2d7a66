import Compute
import Synchronization

/// Keeps states of prompts from one process to the next.
public protocol EmbeddingCache: Sendable {
    /// The states that `encoder` has given for tokens; nil where none are kept, or where they are damaged.
    func states(of ids: [Int32], by encoder: T5Encoder) -> Tensor?

    /// Keeps the states that `encoder` has given for tokens. They can be computed again, so failing to is no error.
    func keep(_ states: Tensor, of ids: [Int32], by encoder: T5Encoder)
}

/// A tokenizer and a T5 encoder, which together turn prompts into states.
///
/// It remembers the states of the last prompts, and asks a cache before it reads the encoder's weights.
public final class T5PromptEncoder: PromptEncoder {
    public let tokenizer: UnigramTokenizer
    public let encoder: T5Encoder

    private let cache: (any EmbeddingCache)?
    private let remembered = Mutex(Memory())

    /// How many prompts' states are remembered: of T5-XXL, and at the most tokens of any network, some 300 MB.
    static let mostRemembered = 64

    private struct Memory {
        var states: [[Int32]: Tensor] = [:]
        /// The tokens in the order in which they were last asked for.
        var order: [[Int32]] = []
    }

    public var width: Int { encoder.config.width }

    /// Joins a tokenizer with the encoder that has been trained on its tokens.
    public init(tokenizer: UnigramTokenizer, encoder: T5Encoder, cache: (any EmbeddingCache)? = nil) {
        self.tokenizer = tokenizer
        self.encoder = encoder
        self.cache = cache
    }

    /// Opens a tokenizer and the encoder that has been trained on its tokens, the folders `tokenizer` and `text_encoder` of
    /// a pipeline.
    ///
    /// - Throws: ``ModelError`` or ``SafetensorsError`` when one of them is missing, damaged, or not supported.
    public convenience init(
        tokenizer: String, encoder: String, variant: String? = nil, engine: any Engine = OpenBLASEngine(),
        cache: (any EmbeddingCache)? = nil
    ) throws {
        self.init(
            tokenizer: try UnigramTokenizer(directory: tokenizer),
            encoder: try T5Encoder(directory: encoder, variant: variant, engine: engine), cache: cache)
    }

    public func states(of prompt: String, limit: Int, length: Int?, workers: Workers) throws -> Tensor {
        // The cache asks for OpenBLAS' kernels, on which bits depend.
        try BLAS.open()
        let ids = tokenizer.tokens(of: prompt, limit: limit).ids
        guard let length, length != ids.count else { return try states(of: ids, workers) }
        // What is cut off has been attended to.
        let padding = Array(repeating: T5Encoder.padding, count: max(0, length - ids.count))
        let states = try states(of: ids + padding, workers)
        return Tensor(Array(states.elements.prefix(length * width)), shape: [length, width])
    }

    private func states(of ids: [Int32], _ workers: Workers) throws -> Tensor {
        // Held while encoding: a second block of weights at the same time would be memory that nobody has planned for.
        return try remembered.withLock { memory in
            memory.order.removeAll { $0 == ids }
            memory.order.append(ids)
            if let states = memory.states[ids] { return states }
            let states = try stored(ids) ?? encoded(ids, workers)
            memory.states[ids] = states
            if memory.order.count > Self.mostRemembered { memory.states[memory.order.removeFirst()] = nil }
            return states
        }
    }

    private func stored(_ ids: [Int32]) -> Tensor? {
        cache?.states(of: ids, by: encoder).flatMap { $0.shape == [ids.count, width] ? $0 : nil }
    }

    private func encoded(_ ids: [Int32], _ workers: Workers) throws -> Tensor {
        let states = try encoder.encode(ids: ids, workers: workers)
        cache?.keep(states, of: ids, by: encoder)
        return states
    }
}
