import Compute

/// Which tokens attend to one another: those of a sequence. The sequences have no token in common and one length.
///
/// Only attention sees the order of tokens. So attention over space and attention over time read the same rows, frame
/// after frame, at other distances.
public struct TokenSequences: Equatable, Sendable {
    /// What the sites of such an attention are called.
    public let layer: LayerKind
    /// How many sequences there are.
    public let count: Int
    /// How many tokens each of them has.
    public let length: Int
    /// The distance between tokens of a sequence, in rows.
    let tokenDistance: Int
    /// The distance between the first tokens of two sequences, in rows.
    let distance: Int

    /// All tokens of an image, as one sequence.
    static func all(_ tokens: Int) -> TokenSequences { overSpace(frames: 1, tokens: tokens) }

    /// The tokens of each frame of a clip, `tokens` of them.
    static func overSpace(frames: Int, tokens: Int) -> TokenSequences {
        TokenSequences(layer: .attention, count: frames, length: tokens, tokenDistance: 1, distance: tokens)
    }

    /// The tokens at one place in all frames of a clip.
    static func overTime(frames: Int, tokens: Int) -> TokenSequences {
        TokenSequences(layer: .temporalAttention, count: tokens, length: frames, tokenDistance: tokens, distance: 1)
    }

    /// How many tokens there are in all.
    public var tokens: Int { count * length }
}

extension [TokenSequences] {
    /// Those of the blocks of a network of clips, by turns: the tokens of a frame, and those of a place.
    static func byTurns(frames: Int, tokens: Int) -> [TokenSequences] {
        [.overSpace(frames: frames, tokens: tokens), .overTime(frames: frames, tokens: tokens)]
    }

    /// Those of a block: they are of the first one, of the second and so on, then from the beginning again.
    func ofBlock(_ index: Int) -> TokenSequences { self[index % count] }
}

/// The attentions of a network's blocks, which take turns at which tokens attend to one another.
struct BlockAttentions {
    private let attentions: [SequenceAttention]

    /// Prepares for them; allocates the scratch memory of each worker.
    init(
        _ sequences: [TokenSequences], heads: Int, headDimension: Int, engine: any Engine, workers: Workers
    ) {
        attentions = sequences.map {
            SequenceAttention(
                $0, heads: heads, headDimension: headDimension, engine: engine, workers: workers)
        }
    }

    /// That of a block.
    subscript(block: Int) -> SequenceAttention { attentions[block % attentions.count] }

    /// The most scratch memory that they take, in bytes.
    static func bytes(_ sequences: [TokenSequences], headDimension: Int, workers: Workers) -> Int {
        sequences.reduce(0) { $0 + SequenceAttention.bytes($1, headDimension: headDimension, workers: workers) }
    }
}

/// The attention within sequences of tokens.
struct SequenceAttention {
    let sequences: TokenSequences
    private let attention: Attention
    /// A piece of work is a task of the attention of one sequence; so many of them are one task.
    private let piecesPerTask: Int

    /// Short sequences are joined to tasks of at least so many tokens.
    private static let tokensPerTask = 32

    /// Prepares for it; allocates the scratch memory of each worker.
    init(_ sequences: TokenSequences, heads: Int, headDimension: Int, engine: any Engine, workers: Workers) {
        self.sequences = sequences
        attention = Attention(
            tokens: sequences.length, heads: heads, headDimension: headDimension, engine: engine, workers: workers)
        piecesPerTask =
            sequences.length < Self.tokensPerTask
            ? attention.taskCount * (Self.tokensPerTask / sequences.length) : 1
    }

    /// The most scratch memory that it takes, in bytes.
    static func bytes(_ sequences: TokenSequences, headDimension: Int, workers: Workers) -> Int {
        Attention.bytes(tokens: sequences.length, headDimension: headDimension, workers: workers)
    }

    /// The precision in which it reads and writes fastest.
    var precision: Precision { attention.precision }

    private var pieces: Int { sequences.count * attention.taskCount }

    /// How many independent tasks there are.
    var taskCount: Int { (pieces + piecesPerTask - 1) / piecesPerTask }

    /// Computes one task.
    ///
    /// - Parameters:
    ///   - task: which, in `0..<taskCount`.
    ///   - worker: whose scratch memory to use; no two tasks at once may share it.
    ///   - qkv: (T, 3D): in each row the queries of all heads, then the keys, then the values.
    ///   - output: (T, D), heads side by side.
    func run(task: Int, worker: Int, qkv: MatrixRows, into output: MatrixRows) {
        let width = attention.shape.heads * attention.shape.headDimension
        for piece in task * piecesPerTask..<min(pieces, (task + 1) * piecesPerTask) {
            let first = piece / attention.taskCount * sequences.distance
            let (tokens, step) = (qkv.advanced(byRows: first), sequences.tokenDistance)
            attention.run(
                task: piece % attention.taskCount, worker: worker, query: Attention.Rows(tokens, every: step),
                key: Attention.Rows(tokens, column: width, every: step),
                value: Attention.Rows(tokens, column: 2 * width, every: step),
                into: Attention.Results(output.advanced(byRows: first), every: step))
        }
    }
}
