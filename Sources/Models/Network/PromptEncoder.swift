import Compute

/// Turns prompts into what a text-conditional network attends to.
///
/// Runs ask for a prompt's states when they begin, so an encoder remembers those of the last prompts.
public protocol PromptEncoder: AnyObject, Sendable {
    /// The width of a token's state.
    var width: Int { get }

    /// The states of a prompt's tokens, the end token included.
    ///
    /// Unless padding is asked for, only real tokens are encoded. It would not change them, since encoders mask it.
    ///
    /// - Parameters:
    ///   - prompt: the text, by the network's ``PromptRules``.
    ///   - limit: how many tokens there may be at most; a longer prompt loses its last words.
    ///   - length: how many states there must be: those of padding follow the tokens', and what is too long is cut off. Nil
    ///     for as many as there are tokens.
    ///   - workers: the threads to use.
    /// - Returns: the states (tokens, ``width``).
    /// - Throws: ``ModelError`` or ``SafetensorsError`` where the encoder cannot be read, `MachineError` where there is too
    ///   little memory.
    func states(of prompt: String, limit: Int, length: Int?, workers: Workers) throws -> Tensor
}

extension PromptEncoder {
    /// The states of a prompt's tokens alone.
    public func states(of prompt: String, limit: Int, workers: Workers) throws -> Tensor {
        try states(of: prompt, limit: limit, length: nil, workers: workers)
    }
}

extension (any PromptEncoder)? {
    /// The encoder of a network that reads states of this width.
    ///
    /// - Parameters:
    ///   - width: the width that the network reads.
    ///   - key: the key of its `config.json` that says so.
    ///   - directory: the network's directory.
    /// - Returns: the encoder.
    /// - Throws: ``ModelError`` where there is none, or one of another width.
    func checked(width: Int, key: String, in directory: String) throws(ModelError) -> any PromptEncoder {
        guard let encoder = self else { throw .noPromptEncoder(directory: directory) }
        guard encoder.width == width else {
            throw .promptWidthContradictsConfig(
                directory: directory, key: key, expected: width, found: encoder.width)
        }
        return encoder
    }
}

/// How a network's family treats prompts.
public struct PromptRules: Sendable {
    /// The most tokens of a prompt, the end token included.
    public let tokens: Int
    /// Whether prompts are encoded in lower case and without white space around them.
    public let isSimplified: Bool
    /// A model is calibrated on these unless other prompts are given.
    public let examples: [String]
    /// The width of a token's state that the network reads; nil where it is not known.
    public let width: Int?

    public init(tokens: Int, isSimplified: Bool = false, examples: [String], width: Int? = nil) {
        self.tokens = tokens
        self.isSimplified = isSimplified
        self.examples = examples
        self.width = width
    }

    /// The same with other examples.
    public func replacingExamples(by examples: [String]) -> PromptRules {
        PromptRules(tokens: tokens, isSimplified: isSimplified, examples: examples, width: width)
    }

    /// The text that is encoded for a prompt.
    public func text(of prompt: String) -> String {
        isSimplified ? prompt.lowercased().trimmed : prompt
    }
}

/// An encoder of random states, the same for the same prompt: for benchmarks, whose time does not depend on them.
package final class RandomPromptEncoder: PromptEncoder {
    package let width: Int
    private let tokens: Int

    /// States of `tokens` tokens for every prompt.
    package init(width: Int, tokens: Int) {
        self.width = width
        self.tokens = tokens
    }

    package func states(of prompt: String, limit: Int, length: Int?, workers: Workers) -> Tensor {
        var numbers = ArbitraryNumbers(seed: UInt64(prompt.utf8.reduce(5381) { ($0 &* 33) &+ UInt32($1) }))
        return numbers.tensor([length ?? min(tokens, limit), width])
    }
}
