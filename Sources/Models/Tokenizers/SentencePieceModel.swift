/// The reader of `spiece.model`, SentencePiece's own file.
///
/// Source: src/sentencepiece_model.proto of https://github.com/google/sentencepiece.
struct SentencePieceModel {
    private var entries: [UnigramVocabulary.Entry] = []
    private var kind = UInt64(1)
    private var endPiece = Array("</s>".utf8)
    private var hasByteFallback = false
    private var normalizer = SentencePieceNormalizer()

    /// Reads the file's bytes.
    ///
    /// - Throws: ``TokenizerProblem`` when they are damaged, or those of a model of another kind.
    static func read(_ bytes: [UInt8]) throws(TokenizerProblem) -> TokenizerParts {
        var model = SentencePieceModel()
        do throws(ProtobufFields.Problem) {
            try ProtobufFields.forEach(bytes[...]) { number, value throws(ProtobufFields.Problem) in
                switch (number, value) {
                case (1, .bytes(let piece)): model.entries.append(try entry(piece))
                case (2, .bytes(let message)): try model.readTraining(message)
                case (3, .bytes(let message)): try model.readNormalizer(message)
                default: break
                }
            }
        } catch {
            throw TokenizerProblem(reason: "not a SentencePiece model: \(error.reason); fetch the file again")
        }
        return try model.parts()
    }

    private static func entry(
        _ message: ArraySlice<UInt8>
    ) throws(ProtobufFields.Problem) -> UnigramVocabulary.Entry {
        var (bytes, score, kind): (ArraySlice<UInt8>, Float, UInt64) = ([], 0, 1)
        try ProtobufFields.forEach(message) { number, value throws(ProtobufFields.Problem) in
            switch (number, value) {
            case (1, .bytes(let piece)): bytes = piece
            case (2, .float(let number)): score = number
            case (3, .integer(let number)): kind = number
            default: break
            }
        }
        guard let kind = UnigramVocabulary.Kind(rawValue: kind) else {
            throw ProtobufFields.Problem(reason: "a piece is of the unknown type \(kind)")
        }
        guard score.isFinite else { throw ProtobufFields.Problem(reason: "a piece's score is \(score)") }
        return UnigramVocabulary.Entry(bytes: bytes, score: score, kind: kind)
    }

    private mutating func readTraining(_ message: ArraySlice<UInt8>) throws(ProtobufFields.Problem) {
        var fields = ProtobufFields(message)
        while let (number, value) = try fields.next() {
            switch (number, value) {
            case (3, .integer(let number)): kind = number
            case (24, .integer(let flag)): normalizer.addsSpaceAtEnd = flag != 0
            case (35, .integer(let flag)): hasByteFallback = flag != 0
            case (47, .bytes(let piece)): endPiece = Array(piece)
            default: break
            }
        }
    }

    private mutating func readNormalizer(_ message: ArraySlice<UInt8>) throws(ProtobufFields.Problem) {
        var fields = ProtobufFields(message)
        while let (number, value) = try fields.next() {
            switch (number, value) {
            case (2, .bytes(let bytes)) where !bytes.isEmpty:
                guard let map = CharacterMap(bytes) else {
                    throw ProtobufFields.Problem(reason: "its character map is damaged")
                }
                normalizer.map = map
            case (3, .integer(let flag)): normalizer.addsSpace = flag != 0
            case (4, .integer(let flag)): normalizer.collapsesSpaces = flag != 0
            case (5, .integer(let flag)): normalizer.escapesSpaces = flag != 0
            default: break
            }
        }
    }

    /// The kinds of models by their numbers, but for unigram models.
    private static let otherKinds: [UInt64: String] = [2: "a BPE", 3: "a word", 4: "a character"]

    private func parts() throws(TokenizerProblem) -> TokenizerParts {
        guard kind == 1 else {
            throw TokenizerProblem(
                reason: "it is \(Self.otherKinds[kind] ?? "another kind of") model; only unigram models, such as T5's, "
                    + "are supported")
        }
        let unknowns = entries.indices.filter { entries[$0].kind == .unknown }
        guard unknowns.count == 1 else {
            throw TokenizerProblem(
                reason: entries.isEmpty
                    ? "not a SentencePiece model: it has no pieces; fetch the file again"
                    : "not a SentencePiece model: it has \(unknowns.count) pieces for unknown characters, not one; fetch "
                        + "the file again")
        }
        guard let end = entries.firstIndex(where: { $0.kind == .control && $0.bytes.elementsEqual(endPiece) }) else {
            throw TokenizerProblem(
                reason:
                    "it has no end token \(String(decoding: endPiece, as: UTF8.self)), which text encoders need; use "
                    + "the tokenizer that was saved with the encoder")
        }
        var preparation = normalizer
        let symbols = entries.enumerated().lazy.filter { $0.element.kind == .userDefined }
        preparation.protected = ByteTrie(symbols.map { ($0.element.bytes, Int32($0.offset)) })
        return TokenizerParts(
            vocabulary: UnigramVocabulary(
                entries, unknown: Int32(unknowns[0]),
                bytePieces: hasByteFallback ? UnigramVocabulary.bytePieces(entries.map(\.bytes)) : nil),
            preparation: preparation, end: Int32(end))
    }
}

extension UnigramVocabulary {
    /// The ids of the pieces <0x00> to <0xFF>; nil unless all of them are there.
    static func bytePieces(_ pieces: [ArraySlice<UInt8>]) -> [Int32]? {
        let candidates = pieces.enumerated().lazy.filter { $0.element.first == UInt8(ascii: "<") }
        let names = ByteTrie(candidates.map { ($1, Int32($0)) })
        let digits = Array("0123456789ABCDEF".utf8)
        let ids = (0..<256).compactMap { byte -> Int32? in
            let name = Array("<0x".utf8) + [digits[byte >> 4], digits[byte & 15]] + Array(">".utf8)
            guard let found = names.longestPrefix(of: name[...]), found.length == name.count else { return nil }
            return found.number
        }
        return ids.count == 256 ? ids : nil
    }
}
