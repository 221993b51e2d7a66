/// Attention with OpenBLAS: a block of queries at a time, so that their scores stay in a cache.
struct OpenBLASAttention: PreparedAttention {
    private let keys, headDimension: Int
    private let tasks: AttentionTasks
    /// How many keys one product takes; T where a head's keys are read in place, transposed.
    private let keysPerBlock: Int
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

    init(_ shape: AttentionShape, workers: Workers) {
        (keys, headDimension) = (shape.keys, shape.headDimension)
        scale = shape.scale
        let direct = Self.directBlocks(keys: keys, headDimension: headDimension)
        // The (queries, T) scores of a block are all of the (Q, T) matrix that is ever in memory.
        let queriesPerBlock = direct?.queries ?? Self.largestBlock
        keysPerBlock = direct?.keys ?? keys
        tasks = AttentionTasks(shape, queriesPerBlock: queriesPerBlock, workers: workers)
        scratch = (0..<workers.count).map { _ in
            Scratch(
                scores: Tensor([min(shape.queries, queriesPerBlock), Vector.whole(shape.keys)]),
                sums: Tensor([queriesPerBlock]),
                keys: direct.map { _ in Tensor([shape.headDimension, shape.keys]) })
        }
    }

    /// Queries of a block where OpenBLAS packs what it multiplies.
    static let largestBlock = 128

    /// Blocks that are small enough for OpenBLAS to multiply them without packing, in the first-level cache; nil where it
    /// cannot, or where the head dimension is so large that few keys would make a block.
    static func directBlocks(keys: Int, headDimension: Int) -> (queries: Int, keys: Int)? {
        let queries = 32
        let most = BLAS.directLimit / (queries * headDimension)
        guard BLAS.hasWideKernels, most >= 256 else { return nil }
        let blocks = (keys + most - 1) / most
        // Whole vectors, but never more than fit.
        return (queries, min(most / 16 * 16, ((keys + blocks - 1) / blocks + 15) / 16 * 16))
    }

    var taskCount: Int { tasks.count }

    func run(
        task: Int, worker: Int, query: Attention.Rows, key: Attention.Rows, value: Attention.Rows,
        mask: Attention.Rows?, into output: Attention.Results
    ) {
        let column = tasks.head(of: task) * headDimension
        let scratch = scratch[worker]
        if let transposed = scratch.keys {
            transpose(key.floats + column, distance: key.distance, into: transposed.pointer)
        }
        tasks.forEachBlock(of: task) { block in
            attend(
                block, query.advanced(by: column), key.advanced(by: column), value.advanced(by: column), mask, scratch,
                into: output.advanced(byRows: block.lowerBound, columns: column))
        }
    }

    /// One block of queries of one head.
    private func attend(
        _ block: Range<Int>, _ query: Attention.Rows, _ key: Attention.Rows, _ value: Attention.Rows,
        _ mask: Attention.Rows?, _ scratch: Scratch, into results: Attention.Results
    ) {
        let (output, distance) = (results.floats, results.distance)
        let (scores, line) = (scratch.scores.pointer, Vector.whole(keys))
        let firstQuery = query.floats + block.lowerBound * query.distance
        for first in stride(from: 0, to: keys, by: keysPerBlock) {
            let count = min(keysPerBlock, keys - first)
            if let transposed = scratch.keys {
                BLAS.multiply(
                    m: block.count, n: count, k: headDimension, alpha: scale, firstQuery, lda: query.distance,
                    transposed.pointer + first, ldb: keys, into: scores + first, ldc: line)
            } else {
                BLAS.multiply(
                    m: block.count, n: count, k: headDimension, alpha: scale, firstQuery, lda: query.distance,
                    key.floats + first * key.distance, ldb: key.distance, .transposed, into: scores + first, ldc: line)
            }
        }
        if let mask {
            for row in 0..<block.count {
                Elementwise.add(
                    mask.floats + (block.lowerBound + row) * mask.distance, count: keys, to: scores + row * line)
            }
        }
        let sums = scratch.sums.pointer
        for row in 0..<block.count { sums[row] = Softmax.exponentiate(scores + row * line, count: keys) }
        for first in stride(from: 0, to: keys, by: keysPerBlock) {
            BLAS.multiply(
                m: block.count, n: headDimension, k: min(keysPerBlock, keys - first), scores + first, lda: line,
                value.floats + first * value.distance, ldb: value.distance, into: output, ldc: distance,
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
