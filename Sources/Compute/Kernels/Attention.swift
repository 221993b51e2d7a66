/// Multi-head attention of queries to keys and values, each with strides of its own: side by side in one matrix, as in
/// self-attention, or in separate matrices, as in cross-attention or attention over time.
public struct Attention: Sendable {
    /// Its sizes.
    public let shape: AttentionShape

    private let prepared: any PreparedAttention

    /// Rows of a matrix in which the heads lie side by side.
    public struct Rows {
        /// The first number of the first row.
        public let start: UnsafePointer<Float>
        /// The distance between rows, in numbers; 0 where all rows are the same one.
        public let distance: Int

        /// Rows that begin at `start`, `distance` numbers apart.
        public init(_ start: UnsafePointer<Float>, distance: Int) {
            self.start = start
            self.distance = distance
        }
    }

    /// Prepares for the attention of `tokens` tokens to one another.
    public init(
        tokens: Int, heads: Int, headDimension: Int, scale: Float? = nil, engine: any Engine = OpenBLASEngine(),
        workers: Workers
    ) {
        self.init(
            queries: tokens, keys: tokens, heads: heads, headDimension: headDimension, scale: scale, engine: engine,
            workers: workers)
    }

    /// Prepares for matrices of the given size; allocates the scratch memory of each worker.
    ///
    /// The products of queries and keys are multiplied by `scale`, 1 / sqrt(K) unless given: where heads are padded with
    /// zeros, K is not the dimension to scale by.
    public init(
        queries: Int, keys: Int, heads: Int, headDimension: Int, scale: Float? = nil,
        engine: any Engine = OpenBLASEngine(), workers: Workers
    ) {
        shape = AttentionShape(
            queries: queries, keys: keys, heads: heads, headDimension: headDimension,
            scale: scale ?? 1 / Float(headDimension).squareRoot())
        prepared = engine.prepare(shape, workers: workers)
    }

    /// The most scratch memory that the attention of `tokens` tokens to one another takes, in bytes, whatever kernels
    /// OpenBLAS has: it may not be open yet.
    package static func bytes(tokens: Int, headDimension: Int, workers: Workers) -> Int {
        bytes(queries: tokens, keys: tokens, headDimension: headDimension, workers: workers)
    }

    /// The same of the attention of queries to keys.
    package static func bytes(queries: Int, keys: Int, headDimension: Int, workers: Workers) -> Int {
        let scores = min(queries, OpenBLASAttention.largestBlock) * Vector.whole(keys)
        return MemoryLayout<Float>.stride * workers.count * (scores + headDimension * keys)
    }

    /// Blocks that are small enough for OpenBLAS to multiply them without packing, in the first-level cache; nil where it
    /// cannot, or where the head dimension is so large that few keys would make a block.
    package static func directBlocks(keys: Int, headDimension: Int) -> (queries: Int, keys: Int)? {
        OpenBLASAttention.directBlocks(keys: keys, headDimension: headDimension)
    }

    /// How many independent tasks one matrix makes: some blocks of queries of one head each.
    public var taskCount: Int { prepared.taskCount }

    /// Computes softmax(Q K^T / sqrt(K)) V for one task of the attention of tokens to one another.
    ///
    /// - Parameters:
    ///   - task: which queries of which head, in `0..<taskCount`.
    ///   - worker: whose scratch memory to use; no two tasks at once may share it.
    ///   - qkv: the fused matrix (T, 3D): in each row the queries of all heads, then the keys, then the values.
    ///   - output: (T, D), heads side by side.
    public func run(
        task: Int, worker: Int, qkv: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>
    ) {
        let width = shape.heads * shape.headDimension
        run(
            task: task, worker: worker, query: Rows(qkv, distance: 3 * width),
            key: Rows(qkv + width, distance: 3 * width), value: Rows(qkv + 2 * width, distance: 3 * width),
            into: output, distance: width)
    }

    /// Computes softmax(Q K^T / sqrt(K) + M) V for one task (Vaswani et al., arXiv 1706.03762, equation 1).
    ///
    /// - Parameters:
    ///   - task: which queries of which head, in `0..<taskCount`.
    ///   - worker: whose scratch memory to use; no two tasks at once may share it.
    ///   - query: Q rows with the queries of all heads.
    ///   - key: T rows with the keys of all heads.
    ///   - value: T rows with the values of all heads.
    ///   - mask: M, Q rows of T numbers that are added to the scores, the same for all heads; nil for none. A query must
    ///     be left with a key.
    ///   - output: where the Q results go, heads side by side.
    ///   - distance: the distance between rows of the results.
    public func run(
        task: Int, worker: Int, query: Rows, key: Rows, value: Rows, mask: Rows? = nil,
        into output: UnsafeMutablePointer<Float>, distance: Int
    ) {
        prepared.run(
            task: task, worker: worker, query: query, key: key, value: value, mask: mask, into: output,
            distance: distance)
    }
}

extension Attention {
    /// Makes the products of one task alone, where the engine has a form of its own for them: for benchmarks.
    ///
    /// - Returns: whether it has.
    package func multiply(task: Int, worker: Int) -> Bool { prepared.multiply(task: task, worker: worker) }
}

extension Attention.Rows {
    /// The same rows from column `columns` on.
    func advanced(by columns: Int) -> Self { Self(start + columns, distance: distance) }
}

/// The exponentials of softmax, left unnormalised.
package enum Softmax {
    /// Replaces `count` scores by exp(score - largest) and returns the sum of the results.
    ///
    /// Dividing is left to the caller: attention divides its (K)-wide result instead of the (T)-wide weights. What
    /// follows the scores, up to a whole vector, is overwritten.
    package static func exponentiate(_ scores: UnsafeMutablePointer<Float>, count: Int) -> Float {
        exponentiate(scores, count: count) { weights, index in weights.store(to: scores + index) }
    }

    /// Calls `store` with the exponentials of `count` scores, vector by vector, and with where each begins; returns their
    /// sum. What follows the scores, up to a whole vector, is overwritten.
    @inline(__always)
    static func exponentiate(
        _ scores: UnsafeMutablePointer<Float>, count: Int, store: (_ weights: Vector, _ index: Int) -> Void
    ) -> Float {
        let whole = Vector.whole(count)
        // The exponentials of these are lost in a sum of at least 1.
        for index in count..<whole { scores[index] = -.infinity }

        let width = Vector.scalarCount
        var lanes = Vector(repeating: -.infinity)
        var index = 0
        while index < whole {
            lanes = lanes.larger(Vector(at: scores + index))
            index += width
        }
        let largest = lanes.max()

        var sums = Vector.zero
        index = 0
        while index < whole {
            let weights = exponential(Vector(at: scores + index) - largest)
            store(weights, index)
            sums += weights
            index += width
        }
        return sums.total
    }
}
