import FoundationEssentials

/// The reader of `tokenizer.json`, in which the tokenizers library saves a tokenizer.
///
/// Source: https://github.com/huggingface/tokenizers, the `Serialize` of its parts.
struct TokenizerJSON {
    private let file: JSONFile

    /// Reads the file.
    ///
    /// - Throws: ``SentencePieceModel/Problem`` when it is damaged, or holds a tokenizer of another kind.
    static func read(_ file: JSONFile) throws(TokenizerProblem) -> TokenizerParts {
        try TokenizerJSON(file: file).parts()
    }

    private typealias Members = [JSONValue.Member]

    private func parts() throws(TokenizerProblem) -> TokenizerParts {
        guard let model = file["model"]?.members else { throw damaged("it has no object model") }
        // The library tells unigram models without a type by their list of pairs.
        let kind = model["type"]?.text ?? (model["vocab"]?.elements == nil ? "BPE, WordPiece or WordLevel" : "Unigram")
        guard kind == "Unigram" else {
            throw TokenizerProblem(
                reason: "it is a \(kind) model; only Unigram models, such as T5's, are supported")
        }
        let added = try addedTokens()
        let vocabulary = try vocabulary(model)
        var steps = TokenizerSteps()
        if let normalizer = file["normalizer"] { try read(normalizer, into: &steps.normalizers) }
        if let splitter = file["pre_tokenizer"] { try read(splitter, into: &steps.splitters) }
        return TokenizerParts(
            vocabulary: vocabulary, preparation: steps, added: added, end: try endToken(added, model))
    }

    private func damaged(_ reason: String) -> TokenizerProblem {
        TokenizerProblem(reason: "not a tokenizer: \(reason); fetch the file again")
    }

    private func unsupported(_ what: String, _ kind: String, _ supported: String) -> TokenizerProblem {
        TokenizerProblem(reason: "its \(what) \(kind) is not supported; \(supported) are")
    }

    // MARK: - Pieces

    private func vocabulary(_ model: Members) throws(TokenizerProblem) -> UnigramVocabulary {
        guard let pairs = model["vocab"]?.elements else { throw damaged("model.vocab is no list") }
        var entries: [UnigramVocabulary.Entry] = []
        entries.reserveCapacity(pairs.count)
        for pair in pairs {
            guard let pair = pair.elements, pair.count == 2, let piece = pair[0].text, let score = pair[1].double,
                Float(score).isFinite
            else { throw damaged("model.vocab[\(entries.count)] is no piece with its score") }
            entries.append(UnigramVocabulary.Entry(bytes: Array(piece.utf8)[...], score: Float(score)))
        }
        guard let unknown = model["unk_id"]?.id, Int(unknown) < entries.count else {
            throw damaged("model.unk_id is no place in model.vocab")
        }
        let fallsBack = model["byte_fallback"] == .bool(true)
        return UnigramVocabulary(
            entries, unknown: unknown,
            bytePieces: fallsBack ? UnigramVocabulary.bytePieces(entries.map(\.bytes)) : nil)
    }

    private func addedTokens() throws(TokenizerProblem) -> [AddedToken] {
        var tokens: [AddedToken] = []
        for value in file["added_tokens"]?.elements ?? [] {
            guard let token = value.members, let text = token["content"]?.text, let id = token["id"]?.id else {
                throw damaged("added_tokens[\(tokens.count)] has no content or no id")
            }
            tokens.append(
                AddedToken(
                    bytes: Array(text.utf8), id: id, stripsBefore: token["lstrip"] == .bool(true),
                    stripsAfter: token["rstrip"] == .bool(true), isWholeWord: token["single_word"] == .bool(true)))
        }
        return tokens
    }

    /// The token that the post-processor puts after a text, or the one that is called </s>.
    private func endToken(_ added: [AddedToken], _ model: Members) throws(TokenizerProblem) -> Int32 {
        if let processor = file["post_processor"]?.members { return try endToken(processor) }
        let name = Array("</s>".utf8)
        if let token = added.first(where: { $0.bytes == name }) { return token.id }
        let place = model["vocab"]?.elements?.firstIndex { $0.elements?.first?.text.map { Array($0.utf8) } == name }
        guard let place else { throw damaged("it has no end token </s>") }
        return Int32(place)
    }

    private func endToken(_ processor: Members) throws(TokenizerProblem) -> Int32 {
        guard processor["type"]?.text == "TemplateProcessing" else {
            throw unsupported("post_processor", processor.kind, "templates of a text and an end token")
        }
        // A template is a list of objects with one member: a text, or a special token.
        let template = (processor["single"]?.elements ?? []).compactMap { $0.members?.first }
        guard template.map(\.key) == ["Sequence", "SpecialToken"], let name = template[1].value.members?["id"]?.text,
            let ids = processor["special_tokens"]?.members?[name]?.members?["ids"]?.elements, ids.count == 1,
            let id = ids[0].id
        else { throw unsupported("post_processor", "template", "templates of a text and an end token") }
        return id
    }

    // MARK: - Steps

    private func read(_ value: JSONValue, into normalizers: inout [TokenizerSteps.Normalizer]) throws(TokenizerProblem)
    {
        let members = value.members ?? []
        switch members.kind {
        case "Sequence":
            for part in members["normalizers"]?.elements ?? [] { try read(part, into: &normalizers) }
        case "Precompiled":
            guard let text = members["precompiled_charsmap"]?.text, let data = Data(base64Encoded: text) else {
                throw damaged("normalizer.precompiled_charsmap is not base64")
            }
            guard !data.isEmpty else { return }
            guard let map = CharacterMap(Array(data)[...]) else { throw damaged("its character map is damaged") }
            normalizers.append(.map(map))
        case "Strip":
            normalizers.append(
                .strip(start: members["strip_left"] != .bool(false), end: members["strip_right"] != .bool(false)))
        case "Replace":
            let pattern = members["pattern"]?.members
            let content = Array((members["content"]?.text ?? "").utf8)
            if pattern?["Regex"]?.text == " {2,}" {
                normalizers.append(.replaceRuns(with: content))
            } else if let text = pattern?["String"]?.text, !text.isEmpty {
                normalizers.append(.replace(Array(text.utf8), with: content))
            } else {
                throw unsupported("normalizer", "Replace of that pattern", "texts and the regular expression ' {2,}'")
            }
        default:
            throw unsupported("normalizer", members.kind, "Precompiled, Replace, Sequence and Strip")
        }
    }

    private func read(_ value: JSONValue, into splitters: inout [TokenizerSteps.Splitter]) throws(TokenizerProblem) {
        let members = value.members ?? []
        switch members.kind {
        case "Sequence":
            for part in members["pretokenizers"]?.elements ?? [] { try read(part, into: &splitters) }
        case "WhitespaceSplit":
            splitters.append(.whitespace)
        case "Metaspace":
            let mark = Array((members["replacement"]?.text ?? "\u{2581}").utf8)
            guard !mark.isEmpty else { throw damaged("pre_tokenizer.replacement is empty") }
            // Files of before 2023 have a flag in the place of the scheme.
            let preset = members["add_prefix_space"] == .bool(false) ? "never" : "always"
            let scheme = members["prepend_scheme"]?.text ?? preset
            guard let prefix = TokenizerSteps.Prefix(rawValue: scheme) else {
                throw unsupported("pre_tokenizer.prepend_scheme", scheme, "always, first and never")
            }
            splitters.append(.mark(mark, prefix: prefix, splits: members["split"] != .bool(false)))
        default:
            throw unsupported("pre_tokenizer", members.kind, "Metaspace, Sequence and WhitespaceSplit")
        }
    }
}

extension JSONValue {
    fileprivate var members: [JSONValue.Member]? { if case .object(let members) = self { members } else { nil } }
    fileprivate var elements: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
    fileprivate var text: String? { if case .string(let text) = self { text } else { nil } }
    fileprivate var id: Int32? {
        if case .integer(let id) = self, id >= 0 { Int32(exactly: id) } else { nil }
    }
    fileprivate var double: Double? {
        switch self {
        case .integer(let whole): Double(whole)
        case .number(let number): number
        default: nil
        }
    }
}

extension [JSONValue.Member] {
    fileprivate subscript(key: String) -> JSONValue? { first { $0.key == key }?.value }

    /// The `type` of a part of a tokenizer.
    fileprivate var kind: String { self["type"]?.text ?? "without a type" }
}
