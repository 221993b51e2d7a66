/// The pieces of a unigram model, and the likeliest way to cut a text into them.
///
/// Sums are rounded as SentencePiece rounds them, to `Float` after each piece, so that where two cuts are as likely the same
/// one is found.
///
/// Sources: Kudo, arXiv 1804.10959; src/unigram_model.cc of https://github.com/google/sentencepiece.
struct UnigramVocabulary: Sendable {
    /// A piece and its logarithmic probability.
    struct Entry {
        let bytes: ArraySlice<UInt8>
        let score: Float
        var kind = Kind.normal
    }

    /// What a piece is, with its number in `spiece.model`.
    enum Kind: UInt64, Sendable {
        case normal = 1
        case unknown, control, userDefined, unused, byte
    }

    /// A piece in a text; unknown characters are one each.
    struct Match: Equatable {
        let id: Int32
        let range: Range<Int>
    }

    /// An unknown character is as likely as e⁻¹⁰ times the least likely piece.
    private static let unknownPenalty: Float = 10
    /// What a piece that the maker of the model has set is taken to score.
    private static let userDefinedScore = -0.1

    let unknown: Int32
    /// The pieces that stand for the bytes of unknown characters; nil where those are unknown.
    let bytePieces: [Int32]?
    private let pieces: ByteTrie
    private let kinds: [Kind]
    private let scores: [Float]
    private let unknownScore: Float

    /// Joins the entries, whose places are the ids, with the id of unknown characters.
    ///
    /// Pieces of all kinds but control, unknown and byte can be found in a text; unused ones are not taken.
    init(_ entries: [Entry], unknown: Int32, bytePieces: [Int32]? = nil) {
        self.unknown = unknown
        self.bytePieces = bytePieces
        kinds = entries.map(\.kind)
        scores = entries.map(\.score)
        pieces = ByteTrie(
            entries.enumerated().lazy
                .filter { [.normal, .userDefined, .unused].contains($0.element.kind) }
                .map { ($0.element.bytes, Int32($0.offset)) })
        let least = entries.lazy.filter { $0.kind == .normal }.map(\.score).min() ?? 0
        unknownScore = least - Self.unknownPenalty
    }

    /// The best way to a place in the text: its score, and the piece that ends there.
    private struct Step {
        var score: Float = 0
        var start: Int32 = -1
        var id: Int32 = 0
    }

    /// The likeliest pieces of `text`, in order.
    func matches(in text: [UInt8]) -> [Match] {
        guard text.count < Int32.max else { return [] }
        var steps = [Step](repeating: Step(), count: text.count + 1)
        steps.withUnsafeMutableBufferPointer { steps in
            var start = 0
            while start < text.count {
                let score = steps[start].score
                let length = UTF8Text.length(text, at: start)
                var isKnown = false
                var (node, end): (ByteTrie.Node, Int) = (0, start)
                while end < text.count, let next = pieces.next(node, text[end]) {
                    (node, end) = (next, end + 1)
                    guard let id = pieces.number(at: node), kinds[Int(id)] != .unused else { continue }
                    let gain = kinds[Int(id)] == .userDefined ? Self.userDefinedScore : Double(scores[Int(id)])
                    Self.offer(gain + Double(score), id, from: start, &steps[end])
                    isKnown = isKnown || end - start == length
                }
                if !isKnown {
                    Self.offer(Double(unknownScore + score), unknown, from: start, &steps[start + length])
                }
                start += length
            }
        }
        var matches: [Match] = []
        var end = text.count
        while end > 0 {
            // Every character's end has been offered a way, if only that of an unknown one.
            let step = steps[end]
            matches.append(Match(id: step.id, range: Int(step.start)..<end))
            end = Int(step.start)
        }
        return matches.reversed()
    }

    @inline(__always)
    private static func offer(_ score: Double, _ id: Int32, from start: Int, _ step: inout Step) {
        guard step.start < 0 || score > Double(step.score) else { return }
        step = Step(score: Float(score), start: Int32(start), id: id)
    }
}
