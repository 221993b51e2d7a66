/// Multi-head self-attention over a fused query, key and value matrix.
public struct Attention {
    /// T, the number of tokens.
    public let tokens: Int
    /// H, the number of heads.
    public let heads: Int
    /// K, the width of a head; D = H K.
    public let headWidth: Int

    /// Queries that share one task: their (queries, T) scores are all that is ever in memory of the (T, T) matrix.
    private static let queriesPerTask = 128

    private let scores: [Tensor]
    private let scale: Float

    /// Prepares for matrices of the given size; allocates the scratch memory of each worker.
    ///
    /// `scale` is what the products of queries and keys are multiplied by, 1 / sqrt(K) unless given: where heads are
    /// padded with zeros, K is not their width.
    public init(tokens: Int, heads: Int, headWidth: Int, scale: Float? = nil, workers: Workers) {
        self.tokens = tokens
        self.heads = heads
        self.headWidth = headWidth
        self.scale = scale ?? 1 / Float(headWidth).squareRoot()
        self.scores = (0..<workers.count).map { _ in Tensor([min(tokens, Self.queriesPerTask), tokens]) }
    }

    /// How many independent tasks one matrix makes: a block of queries of one head each.
    public var taskCount: Int { heads * queryBlocks }

    private var queryBlocks: Int { (tokens + Self.queriesPerTask - 1) / Self.queriesPerTask }

    /// Computes softmax(Q K^T / sqrt(K)) V for one task (Vaswani et al., arXiv 1706.03762, equation 1).
    ///
    /// - Parameters:
    ///   - task: which block of queries of which head, in `0..<taskCount`.
    ///   - worker: whose scratch memory to use; no two tasks at once may share it.
    ///   - qkv: the fused matrix (T, 3D): in each row the queries of all heads, then the keys, then the values.
    ///   - output: (T, D), heads side by side.
    public func run(
        task: Int, worker: Int, qkv: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>
    ) {
        let width = heads * headWidth
        let head = task / queryBlocks
        let first = task % queryBlocks * Self.queriesPerTask
        let queries = min(Self.queriesPerTask, tokens - first)
        let weights = scores[worker].pointer

        let q = qkv + first * 3 * width + head * headWidth
        let k = qkv + width + head * headWidth
        let v = qkv + 2 * width + head * headWidth
        let out = output + first * width + head * headWidth
        BLAS.multiply(
            m: queries, n: tokens, k: headWidth, alpha: scale,
            q, lda: 3 * width, k, ldb: 3 * width, .transposed, into: weights, ldc: tokens)
        withUnsafeTemporaryAllocation(of: Float.self, capacity: Self.queriesPerTask) { factors in
            for query in 0..<queries {
                factors[query] = 1 / Softmax.exponentiate(weights + query * tokens, count: tokens)
            }
            BLAS.multiply(
                m: queries, n: headWidth, k: tokens, weights, lda: tokens, v, ldb: 3 * width, into: out, ldc: width)
            for query in 0..<queries {
                let factor = factors[query]
                mapInPlace(out + query * width, count: headWidth) { $0 * factor }
            }
        }
    }
}
