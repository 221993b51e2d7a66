/// Multi-head attention of queries to keys and values, each with strides of its own: side by side in one matrix, as in
/// self-attention, or in separate matrices, as in cross-attention or attention over time.
public struct Attention: Sendable {
    /// Its sizes.
    public let shape: AttentionShape

    private let prepared: any PreparedAttention

    /// Rows of a matrix in which the heads lie side by side, to read.
    public struct Rows {
        /// The first number of the first row.
        let start: UnsafeRawPointer
        /// The distance between rows, in numbers; 0 where all rows are the same one.
        let distance: Int
        /// 32 bits, or ``Attention/precision``.
        let precision: Precision

        /// Rows that begin at `start`, `distance` numbers apart.
        public init(_ start: UnsafePointer<Float>, distance: Int) {
            (self.start, self.distance, precision) = (UnsafeRawPointer(start), distance, .float32)
        }

        /// Every so many of some rows, from a column on.
        public init(_ rows: MatrixRows, column: Int = 0, every step: Int = 1) {
            (precision, distance) = (rows.precision, step * rows.width)
            start = UnsafeRawPointer(rows.numbers) + column * precision.size
        }

        private init(_ start: UnsafeRawPointer, _ distance: Int, _ precision: Precision) {
            (self.start, self.distance, self.precision) = (start, distance, precision)
        }

        /// The same rows from column `columns` on.
        func advanced(by columns: Int) -> Rows { Rows(start + columns * precision.size, distance, precision) }

        /// The first number, of 32 bits.
        var floats: UnsafePointer<Float> { start.assumingMemoryBound(to: Float.self) }
    }

    /// Rows of a matrix to write, as ``Rows`` are read.
    public struct Results {
        let start: UnsafeMutableRawPointer
        let distance: Int
        let precision: Precision

        /// Rows that begin at `start`, `distance` numbers apart.
        public init(_ start: UnsafeMutablePointer<Float>, distance: Int) {
            (self.start, self.distance, precision) = (UnsafeMutableRawPointer(start), distance, .float32)
        }

        /// Every so many of some rows.
        public init(_ rows: MatrixRows, every step: Int = 1) {
            (start, precision, distance) = (rows.numbers, rows.precision, step * rows.width)
        }

        private init(_ start: UnsafeMutableRawPointer, _ distance: Int, _ precision: Precision) {
            (self.start, self.distance, self.precision) = (start, distance, precision)
        }

        /// From a row and a column on.
        func advanced(byRows rows: Int, columns: Int) -> Results {
            Results(start + (rows * distance + columns) * precision.size, distance, precision)
        }

        /// The first number, of 32 bits.
        var floats: UnsafeMutablePointer<Float> { start.assumingMemoryBound(to: Float.self) }
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

    /// The precision in which it reads and writes fastest; it always can in 32 bits.
    public var precision: Precision { prepared.precision }

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
            into: Results(output, distance: width))
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
    public func run(
        task: Int, worker: Int, query: Rows, key: Rows, value: Rows, mask: Rows? = nil,
        into output: Results
    ) {
        prepared.run(task: task, worker: worker, query: query, key: key, value: value, mask: mask, into: output)
    }
}

extension Attention {
    /// Makes the products of one task alone, where the engine has a form of its own for them: for benchmarks.
    ///
    /// - Returns: whether it has.
    package func multiply(task: Int, worker: Int) -> Bool { prepared.multiply(task: task, worker: worker) }
}
