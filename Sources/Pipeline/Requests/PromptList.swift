import FoundationEssentials
import Models

/// Prompts that a person wrote: from the command line, or in a file with one on each line.
public struct PromptList: Equatable, Sendable {
    /// The prompts, in order.
    public let prompts: [String]

    /// More bytes than any list of prompts has.
    private static let mostBytes = 1 << 26

    /// Reads the file at `path`; lines of white space do not count.
    ///
    /// - Throws: ``PipelineError`` with the line of what cannot be a prompt.
    public init(path: String) throws(PipelineError) {
        guard FileManager.default.fileExists(atPath: path) else {
            throw .missingInput("\(path): no such file; give one with a prompt on each line")
        }
        guard let bytes = InputFile.bytes(of: path, most: Self.mostBytes) else {
            throw .inputOutput("\(path): cannot be read; give a file, and check its permissions")
        }
        guard bytes.count <= Self.mostBytes else {
            throw .badData("\(path): more than \(Self.mostBytes >> 20) MB; make several files of it")
        }
        var prompts: [String] = []
        do throws(ListText.Problem) {
            var text = try ListText(bytes)
            for line in text.lines {
                let prompt = String(decoding: text.bytes[line], as: UTF8.self).trimmed
                if let reason = Self.problem(with: prompt) {
                    throw ListText.Problem(reason: reason, place: text.place(of: line.lowerBound))
                }
                prompts.append(prompt)
            }
        } catch {
            throw .badData("\(path):\(error.place.line):\(error.place.column): \(error.reason)")
        }
        guard !prompts.isEmpty else { throw .badData("\(path): no prompt in it; write one on each line") }
        self.prompts = prompts
    }

    /// Takes prompts from the option `option`.
    ///
    /// - Throws: ``PipelineError/usage(_:)`` for what cannot be a prompt.
    public init(_ prompts: [String], option: String) throws(PipelineError) {
        self.prompts = prompts.map(\.trimmed)
        for reason in self.prompts.compactMap(Self.problem) { throw .usage("\(option): \(reason)") }
    }

    /// Why a text cannot be a prompt; nil if it can.
    static func problem(with prompt: String) -> String? {
        if prompt.isEmpty { return "the prompt is empty; say what the picture should show" }
        guard let scalar = prompt.unprintable else { return nil }
        return
            "the prompt holds the control character \(scalar.codePoint); write it on one line, in characters that can "
            + "be printed"
    }
}
