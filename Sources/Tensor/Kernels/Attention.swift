/// Multi-head self-attention over a fused query, key and value matrix.
public struct Attention {
    /// T, the number of tokens.
    public let tokens: Int
    /// H, the number of heads.
    public let heads: Int
    /// K, the width of a head; D = H K.
    public let headWidth: Int

    /// How many queries are worked on at a time: their (queries, T) scores are all that is ever in memory of the (T, T)
    /// matrix.
    private let queriesPerBlock: Int
    /// How many keys one product takes; T where a head's keys are read as they lie, transposed.
    private let keysPerBlock: Int
    /// How many blocks of queries one task takes.
    private let blocksPerTask: Int
    private let scale: Float
    private let scratch: [Scratch]

    /// The memory of a worker.
    private struct Scratch {
        /// Of a block of queries, (queries, T), in rows of ``Softmax/stride(_:)``.
        let scores: Tensor
        /// Of the exponentials of each query.
        let sums: Tensor
        /// The keys of a head, (K, T); nil where they are read as they lie.
        let keys: Tensor?
    }

    /// Prepares for matrices of the given size; allocates the scratch memory of each worker.
    ///
    /// `scale` is what the products of queries and keys are multiplied by, 1 / sqrt(K) unless given: where heads are
    /// padded with zeros, K is not their width.
    public init(tokens: Int, heads: Int, headWidth: Int, scale: Float? = nil, workers: Workers) {
        self.tokens = tokens
        self.heads = heads
        self.headWidth = headWidth
        self.scale = scale ?? 1 / Float(headWidth).squareRoot()
        let direct = Self.directBlocks(tokens: tokens, headWidth: headWidth)
        queriesPerBlock = direct?.queries ?? 128
        keysPerBlock = direct?.keys ?? tokens
        let blocks = (tokens + queriesPerBlock - 1) / queriesPerBlock
        let tasksPerHead = (2 * workers.count + heads - 1) / heads
        blocksPerTask = max(1, blocks / tasksPerHead)
        scratch = (0..<workers.count).map { [queriesPerBlock] _ in
            Scratch(
                scores: Tensor([min(tokens, queriesPerBlock), Softmax.stride(tokens)]), sums: Tensor([queriesPerBlock]),
                keys: direct.map { _ in Tensor([headWidth, tokens]) })
        }
    }

    /// Blocks that are small enough for OpenBLAS to multiply them without packing, in the first cache; nil where it has
    /// no such way, or the heads are so wide that few keys would make a block.
    package static func directBlocks(tokens: Int, headWidth: Int) -> (queries: Int, keys: Int)? {
        let queries = 32
        let most = BLAS.directLimit / (queries * headWidth)
        guard BLAS.hasWideKernels, most >= 256 else { return nil }
        let blocks = (tokens + most - 1) / most
        // Whole vectors, but never more than fit.
        return (queries, min(most / 16 * 16, ((tokens + blocks - 1) / blocks + 15) / 16 * 16))
    }

    /// How many independent tasks one matrix makes: some blocks of queries of one head each.
    public var taskCount: Int { heads * tasksPerHead }

    private var tasksPerHead: Int {
        let queries = blocksPerTask * queriesPerBlock
        return (tokens + queries - 1) / queries
    }

    /// Computes softmax(Q K^T / sqrt(K)) V for one task (Vaswani et al., arXiv 1706.03762, equation 1).
    ///
    /// - Parameters:
    ///   - task: which queries of which head, in `0..<taskCount`.
    ///   - worker: whose scratch memory to use; no two tasks at once may share it.
    ///   - qkv: the fused matrix (T, 3D): in each row the queries of all heads, then the keys, then the values.
    ///   - output: (T, D), heads side by side.
    public func run(
        task: Int, worker: Int, qkv: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>
    ) {
        let (head, part) = task.quotientAndRemainder(dividingBy: tasksPerHead)
        let width = heads * headWidth
        let queries = part * blocksPerTask * queriesPerBlock
        let scratch = scratch[worker]
        let qkv = qkv + head * headWidth
        if let keys = scratch.keys { transpose(qkv + width, distance: 3 * width, into: keys.pointer) }
        for first in stride(
            from: queries, to: min(tokens, queries + blocksPerTask * queriesPerBlock), by: queriesPerBlock)
        {
            attend(
                first..<min(tokens, first + queriesPerBlock), qkv, scratch,
                into: output + first * width + head * headWidth)
        }
    }

    /// One block of queries of the head whose queries begin at `qkv`.
    private func attend(
        _ queries: Range<Int>, _ qkv: UnsafePointer<Float>, _ scratch: Scratch,
        into output: UnsafeMutablePointer<Float>
    ) {
        let width = heads * headWidth
        let (scores, distance) = (scratch.scores.pointer, Softmax.stride(tokens))
        let (query, key, value) = (qkv + queries.lowerBound * 3 * width, qkv + width, qkv + 2 * width)
        for first in stride(from: 0, to: tokens, by: keysPerBlock) {
            let count = min(keysPerBlock, tokens - first)
            if let keys = scratch.keys {
                BLAS.multiply(
                    m: queries.count, n: count, k: headWidth, alpha: scale, query, lda: 3 * width,
                    keys.pointer + first, ldb: tokens, into: scores + first, ldc: distance)
            } else {
                BLAS.multiply(
                    m: queries.count, n: count, k: headWidth, alpha: scale, query, lda: 3 * width,
                    key + first * 3 * width, ldb: 3 * width, .transposed, into: scores + first, ldc: distance)
            }
        }
        let sums = scratch.sums.pointer
        for row in 0..<queries.count {
            sums[row] = Softmax.exponentiate(scores + row * distance, count: tokens)
        }
        for first in stride(from: 0, to: tokens, by: keysPerBlock) {
            BLAS.multiply(
                m: queries.count, n: headWidth, k: min(keysPerBlock, tokens - first), scores + first, lda: distance,
                value + first * 3 * width, ldb: 3 * width, into: output, ldc: width, adding: first > 0)
        }
        for row in 0..<queries.count {
            let factor = 1 / sums[row]
            mapInPlace(output + row * width, count: headWidth) { $0 * factor }
        }
    }

    /// Writes the keys, rows that lie `distance` apart, to the columns of `target` (K, T).
    private func transpose(_ keys: UnsafePointer<Float>, distance: Int, into target: UnsafeMutablePointer<Float>) {
        // A few rows at a time stay in the first cache.
        for first in stride(from: 0, to: tokens, by: Vector.scalarCount) {
            let count = min(Vector.scalarCount, tokens - first)
            for index in 0..<headWidth {
                let source = keys + first * distance + index
                let line = target + index * tokens + first
                for row in 0..<count { line[row] = source[row * distance] }
            }
        }
    }
}
