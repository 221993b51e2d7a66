import FoundationEssentials

/// A SentencePiece unigram tokenizer (Kudo, arXiv 1804.10959), as T5's text encoders use.
///
/// It reads `spiece.model`, with SentencePiece's rules, or `tokenizer.json`, with those of the tokenizers library. Both have
/// a text normalised, cut into the likeliest pieces, and ended with a token of its own.
public struct UnigramTokenizer: Sendable {
    /// The file that was read.
    public let path: String

    private let vocabulary: UnigramVocabulary
    private let preparation: any TextPreparation
    private let added: AddedTokens
    private let end: Int32
    /// The words that the model has learned; nil where it does not say.
    private let learned: Set<String>?
    /// The file that lists them.
    public let wordList: String?

    /// The files that are looked for, in this order.
    private static let (model, json, words) = ("spiece.model", "tokenizer.json", "vocabulary.txt")

    /// Reads the tokenizer in `directory`.
    ///
    /// If there is a `vocabulary.txt` beside it, or beside the folder of its pipeline, that lists the words that the model
    /// has learned, one a line, in lower case.
    ///
    /// - Throws: ``ModelError`` when there is none, when it is damaged, or when it is of a kind that is not supported.
    public init(directory: String) throws(ModelError) {
        let found = [Self.model, Self.json].map { "\(directory)/\($0)" }
            .first { FileManager.default.fileExists(atPath: $0) }
        guard let path = found else { throw .missingTokenizer(directory: directory) }
        self.path = path
        let parts = try Self.parts(path)
        vocabulary = parts.vocabulary
        preparation = parts.preparation
        added = AddedTokens(parts.added)
        end = parts.end
        wordList = Self.wordList(beside: directory)
        learned = try wordList.map { path throws(ModelError) in try Self.words(in: path) }
    }

    /// The tokens of a prompt.
    ///
    /// - Parameters:
    ///   - text: the prompt.
    ///   - limit: how many tokens there may be, the end token included; at least that one is there.
    /// - Returns: the tokens, and what of the text the model cannot follow.
    public func tokens(of text: String, limit: Int) -> TokenizedPrompt {
        let prompt = Array(text.utf8)
        var tokens = TokenList(room: max(1, limit) - 1)
        for part in added.parts(of: prompt) {
            switch part {
            case .token(let id, let range):
                tokens.append(id, from: range.lowerBound)
            case .text(let range):
                for stretch in preparation.stretches(of: prompt, range) { append(stretch, to: &tokens) }
            }
        }
        let cut = tokens.cut ?? prompt.count
        let rest = String(decoding: prompt[cut...], as: UTF8.self)
        let words = PromptWords(prompt)
        return TokenizedPrompt(
            ids: tokens.ids + [end],
            unknown: words.unknown(holding: tokens.unknownPlaces, learned: learned, before: cut),
            cutOff: tokens.cut == nil ? nil : String(rest.drop(while: \.isWhitespace)))
    }

    private func append(_ stretch: MappedText, to tokens: inout TokenList) {
        var followsUnknown = false
        for match in vocabulary.matches(in: stretch.bytes) {
            let origin = stretch.origins[match.range.lowerBound]
            let isUnknown = match.id == vocabulary.unknown
            if isUnknown { tokens.noteUnknown(at: origin) }
            if isUnknown, let bytePieces = vocabulary.bytePieces {
                for byte in stretch.bytes[match.range] { tokens.append(bytePieces[Int(byte)], from: origin) }
            } else if !(isUnknown && followsUnknown) {
                // Unknown characters in a row are one token.
                tokens.append(match.id, from: origin)
            }
            followsUnknown = isUnknown
        }
    }
}

/// The tokens that there is room for, and where the prompt is cut.
private struct TokenList {
    let room: Int
    private(set) var ids: [Int32] = []
    /// Where the first token that there was no room for begins in the prompt.
    private(set) var cut: Int?
    /// Where the unknown characters before it begin.
    private(set) var unknownPlaces: [Int] = []

    init(room: Int) {
        self.room = room
    }

    mutating func append(_ id: Int32, from place: Int) {
        if ids.count < room {
            ids.append(id)
        } else if cut == nil {
            cut = place
        }
    }

    mutating func noteUnknown(at place: Int) {
        if cut == nil { unknownPlaces.append(place) }
    }
}

// MARK: - Files

extension UnigramTokenizer {
    private static func parts(_ path: String) throws(ModelError) -> TokenizerParts {
        let read: () throws(TokenizerProblem) -> TokenizerParts
        if path.hasSuffix(json) {
            let file = try JSONFile(path: path)
            read = { () throws(TokenizerProblem) in try TokenizerJSON.read(file) }
        } else {
            let bytes = try bytes(of: path)
            read = { () throws(TokenizerProblem) in try SentencePieceModel.read(bytes) }
        }
        do throws(TokenizerProblem) {
            return try read()
        } catch {
            throw .invalidTokenizer(path: path, reason: error.reason)
        }
    }

    private static func bytes(of path: String) throws(ModelError) -> [UInt8] {
        let file: MappedFile
        do throws(SafetensorsError) {
            file = try MappedFile(path: path)
        } catch .unreadable(_, let reason) {
            throw .unreadable(path: path, reason: reason)
        } catch {
            throw .unreadable(path: path, reason: "no such file")
        }
        if let format = ForeignFormat(startOf: file.bytes) {
            throw .invalidTokenizer(path: path, reason: "not a tokenizer but \(format.name); \(format.advice)")
        }
        return Array(file.bytes)
    }

    private static func wordList(beside directory: String) -> String? {
        let folder = URL(filePath: directory)
        let pipeline = folder.appending(path: "../model_index.json").standardized
        let isPart = FileManager.default.fileExists(atPath: pipeline.path)
        let places = [folder] + (isPart ? [pipeline.deletingLastPathComponent()] : [])
        return places.map { $0.appending(path: words).path }.first { FileManager.default.fileExists(atPath: $0) }
    }

    private static func words(in path: String) throws(ModelError) -> Set<String> {
        let lines = String(decoding: try bytes(of: path), as: UTF8.self).split(whereSeparator: \.isNewline)
        return Set(lines.map { $0.lowercased() })
    }
}
