/// Multi-head attention of queries to keys and values, each with strides of its own: side by side in one matrix, as in
/// self-attention, or in separate matrices, as in cross-attention or attention over time.
public struct Attention {
    /// Q, the number of queries.
    public let queries: Int
    /// T, the number of keys, and of values.
    public let keys: Int
    /// H, the number of heads.
    public let heads: Int
    /// K, the head dimension; D = H K.
    public let headDimension: Int

    /// How many queries one block has: its (queries, T) scores are all of the (Q, T) matrix that is ever in memory.
    private let queriesPerBlock: Int
    /// How many keys one product takes; T where a head's keys are read in place, transposed.
    private let keysPerBlock: Int
    /// How many blocks of queries one task takes.
    private let blocksPerTask: Int
    private let scale: Float
    private let scratch: [Scratch]

    /// The scratch memory of a worker.
    private struct Scratch {
        /// Of a block of queries, (queries, T), each row rounded up to whole vectors.
        let scores: Tensor
        /// Of the exponentials of each query.
        let sums: Tensor
        /// The keys of a head, (K, T); nil where they are read in place.
        let keys: Tensor?
    }

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
    public init(tokens: Int, heads: Int, headDimension: Int, scale: Float? = nil, workers: Workers) {
        self.init(
            queries: tokens, keys: tokens, heads: heads, headDimension: headDimension, scale: scale, workers: workers)
    }

    /// Prepares for matrices of the given size; allocates the scratch memory of each worker.
    ///
    /// The products of queries and keys are multiplied by `scale`, 1 / sqrt(K) unless given: where heads are padded with
    /// zeros, K is not the dimension to scale by.
    public init(queries: Int, keys: Int, heads: Int, headDimension: Int, scale: Float? = nil, workers: Workers) {
        self.queries = queries
        self.keys = keys
        self.heads = heads
        self.headDimension = headDimension
        self.scale = scale ?? 1 / Float(headDimension).squareRoot()
        let direct = Self.directBlocks(keys: keys, headDimension: headDimension)
        queriesPerBlock = direct?.queries ?? Self.largestBlock
        keysPerBlock = direct?.keys ?? keys
        let blocks = (queries + queriesPerBlock - 1) / queriesPerBlock
        let tasksPerHead = (2 * workers.count + heads - 1) / heads
        blocksPerTask = max(1, blocks / tasksPerHead)
        scratch = (0..<workers.count).map { [queriesPerBlock] _ in
            Scratch(
                scores: Tensor([min(queries, queriesPerBlock), Vector.whole(keys)]), sums: Tensor([queriesPerBlock]),
                keys: direct.map { _ in Tensor([headDimension, keys]) })
        }
    }

    /// The most scratch memory that the attention of `tokens` tokens to one another takes, in bytes, whatever kernels
    /// OpenBLAS has: it may not be open yet.
    package static func bytes(tokens: Int, headDimension: Int, workers: Workers) -> Int {
        let scores = min(tokens, largestBlock) * Vector.whole(tokens)
        return MemoryLayout<Float>.stride * workers.count * (scores + headDimension * tokens)
    }

    /// Queries of a block where OpenBLAS packs what it multiplies.
    private static let largestBlock = 128

    /// Blocks that are small enough for OpenBLAS to multiply them without packing, in the first-level cache; nil where it
    /// cannot, or where the head dimension is so large that few keys would make a block.
    package static func directBlocks(keys: Int, headDimension: Int) -> (queries: Int, keys: Int)? {
        let queries = 32
        let most = BLAS.directLimit / (queries * headDimension)
        guard BLAS.hasWideKernels, most >= 256 else { return nil }
        let blocks = (keys + most - 1) / most
        // Whole vectors, but never more than fit.
        return (queries, min(most / 16 * 16, ((keys + blocks - 1) / blocks + 15) / 16 * 16))
    }

    /// How many independent tasks one matrix makes: some blocks of queries of one head each.
    public var taskCount: Int { heads * tasksPerHead }

    private var tasksPerHead: Int {
        let size = blocksPerTask * queriesPerBlock
        return (queries + size - 1) / size
    }

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
        let width = heads * headDimension
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
        let (head, part) = task.quotientAndRemainder(dividingBy: tasksPerHead)
        let column = head * headDimension
        let start = part * blocksPerTask * queriesPerBlock
        let end = min(queries, start + blocksPerTask * queriesPerBlock)
        let scratch = scratch[worker]
        if let transposed = scratch.keys {
            transpose(key.start + column, distance: key.distance, into: transposed.pointer)
        }
        for first in stride(from: start, to: end, by: queriesPerBlock) {
            attend(
                first..<min(queries, first + queriesPerBlock), query.advanced(by: column), key.advanced(by: column),
                value.advanced(by: column), mask, scratch, into: output + first * distance + column,
                distance: distance)
        }
    }

    /// One block of queries of one head.
    private func attend(
        _ block: Range<Int>, _ query: Rows, _ key: Rows, _ value: Rows, _ mask: Rows?, _ scratch: Scratch,
        into output: UnsafeMutablePointer<Float>, distance: Int
    ) {
        let (scores, line) = (scratch.scores.pointer, Vector.whole(keys))
        let firstQuery = query.start + block.lowerBound * query.distance
        for first in stride(from: 0, to: keys, by: keysPerBlock) {
            let count = min(keysPerBlock, keys - first)
            if let transposed = scratch.keys {
                BLAS.multiply(
                    m: block.count, n: count, k: headDimension, alpha: scale, firstQuery, lda: query.distance,
                    transposed.pointer + first, ldb: keys, into: scores + first, ldc: line)
            } else {
                BLAS.multiply(
                    m: block.count, n: count, k: headDimension, alpha: scale, firstQuery, lda: query.distance,
                    key.start + first * key.distance, ldb: key.distance, .transposed, into: scores + first, ldc: line)
            }
        }
        if let mask {
            for row in 0..<block.count {
                Elementwise.add(
                    mask.start + (block.lowerBound + row) * mask.distance, count: keys, to: scores + row * line)
            }
        }
        let sums = scratch.sums.pointer
        for row in 0..<block.count { sums[row] = Softmax.exponentiate(scores + row * line, count: keys) }
        for first in stride(from: 0, to: keys, by: keysPerBlock) {
            BLAS.multiply(
                m: block.count, n: headDimension, k: min(keysPerBlock, keys - first), scores + first, lda: line,
                value.start + first * value.distance, ldb: value.distance, into: output, ldc: distance,
                adding: first > 0)
        }
        for row in 0..<block.count {
            let factor = 1 / sums[row]
            mapInPlace(output + row * distance, count: headDimension) { $0 * factor }
        }
    }

    /// Writes the keys, rows that lie `distance` apart, to the columns of `target` (K, T).
    private func transpose(_ source: UnsafePointer<Float>, distance: Int, into target: UnsafeMutablePointer<Float>) {
        // A few rows at a time stay in the first-level cache.
        for first in stride(from: 0, to: keys, by: Vector.scalarCount) {
            let count = min(Vector.scalarCount, keys - first)
            for index in 0..<headDimension {
                let column = source + first * distance + index
                let line = target + index * keys + first
                for row in 0..<count { line[row] = column[row * distance] }
            }
        }
    }
}

extension Attention.Rows {
    /// The same rows from column `columns` on.
    fileprivate func advanced(by columns: Int) -> Self { Self(start + columns, distance: distance) }
}

/// The exponentials of softmax, left unnormalised.
package enum Softmax {
    /// Replaces `count` scores by exp(score - largest) and returns the sum of the results.
    ///
    /// Dividing is left to the caller: attention divides its (K)-wide result instead of the (T)-wide weights. What
    /// follows the scores, up to a whole vector, is overwritten.
    package static func exponentiate(_ scores: UnsafeMutablePointer<Float>, count: Int) -> Float {
        let whole = Vector.whole(count)
        // The exponentials of these are lost in a sum of at least 1.
        for index in count..<whole { scores[index] = -.infinity }

        var lanes = Vector(repeating: -.infinity)
        for index in stride(from: 0, to: whole, by: Vector.scalarCount) {
            lanes = lanes.larger(Vector(at: scores + index))
        }
        let largest = lanes.max()

        var sums = Vector.zero
        for index in stride(from: 0, to: whole, by: Vector.scalarCount) {
            let weights = exponential(Vector(at: scores + index) - largest)
            weights.store(to: scores + index)
            sums += weights
        }
        return sums.total
    }
}
