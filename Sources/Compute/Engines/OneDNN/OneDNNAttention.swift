/// Attention with oneDNN in 16 bits: queries, keys, weights and values are rounded, scores, softmax and sums are not.
///
/// A head's queries, keys and values are copied out of their rows as they are rounded, since oneDNN's fastest kernels want
/// operands without gaps.
struct OneDNNAttention: PreparedAttention {
    private let shape: AttentionShape
    private let tasks: AttentionTasks
    private let scratch: [Scratch]

    /// The scratch memory of a worker.
    private struct Scratch {
        /// Of a block: queries (queries, K), weights (queries, T), results (queries, K) and sums of weights (queries).
        let queries, weights, results, sums: Tensor
        /// Scores (queries, T), and room for a vector behind them.
        let scores: Tensor
        /// Of a head, (T, K).
        let keys, values: Tensor
    }

    /// The most scores of a block: they stay in a second-level cache.
    private static let scoresPerBlock = 1 << 16

    /// Nil where oneDNN has no fast kernel for the products.
    init?(_ shape: AttentionShape, workers: Workers) {
        let most = max(Vector.scalarCount, Self.scoresPerBlock / shape.keys / Vector.scalarCount * Vector.scalarCount)
        let queries = min(most, shape.queries)
        self.shape = shape
        tasks = AttentionTasks(shape, queriesPerBlock: queries, workers: workers)
        let last = (shape.queries - 1) % queries + 1
        for rows in [queries, last] {
            guard Self.scores(rows, shape) != nil, Self.results(rows, shape) != nil else { return nil }
        }
        func halves(_ rows: Int, _ columns: Int) -> Tensor { Tensor([(rows * columns + 1) / 2]) }
        scratch = (0..<workers.count).map { _ in
            Scratch(
                queries: halves(queries, shape.headDimension), weights: halves(queries, shape.keys),
                results: Tensor(uninitialized: [queries, shape.headDimension]),
                sums: Tensor(uninitialized: [queries]),
                scores: Tensor(uninitialized: [queries * shape.keys + Vector.scalarCount]),
                keys: halves(shape.keys, shape.headDimension), values: halves(shape.keys, shape.headDimension))
        }
    }

    /// (rows, T) = queries (rows, K) times keys (T, K).
    private static func scores(_ rows: Int, _ shape: AttentionShape) -> OneDNNProduct? {
        OneDNNProduct.make(
            OneDNNProduct.Shape(
                m: rows, n: shape.keys, k: shape.headDimension, distance: shape.headDimension, operands: .bfloat16,
                hasBias: false))
    }

    /// (rows, K) = weights (rows, T) times values (T, K).
    private static func results(_ rows: Int, _ shape: AttentionShape) -> OneDNNProduct? {
        OneDNNProduct.make(
            OneDNNProduct.Shape(
                m: rows, n: shape.headDimension, k: shape.keys, distance: shape.headDimension, isTransposed: false,
                operands: .bfloat16, hasBias: false))
    }

    var precision: Precision { .bfloat16 }
    var taskCount: Int { tasks.count }

    func run(
        task: Int, worker: Int, query: Attention.Rows, key: Attention.Rows, value: Attention.Rows,
        mask: Attention.Rows?, into output: Attention.Results
    ) {
        let column = tasks.head(of: task) * shape.headDimension
        let scratch = scratch[worker]
        round(key.advanced(by: column), 0..<shape.keys, into: scratch.keys)
        round(value.advanced(by: column), 0..<shape.keys, into: scratch.values)
        tasks.forEachBlock(of: task) { block in
            attend(
                block, query.advanced(by: column), mask, scratch,
                into: output.advanced(byRows: block.lowerBound, columns: column))
        }
    }

    func multiply(task: Int, worker: Int) -> Bool {
        let scratch = scratch[worker]
        tasks.forEachBlock(of: task) { block in
            Self.scores(block.count, shape)?.run(
                scratch.queries.pointer, scratch.keys.pointer, into: scratch.scores.pointer)
            Self.results(block.count, shape)?.run(
                scratch.weights.pointer, scratch.values.pointer, into: scratch.results.pointer)
        }
        return true
    }

    /// One block of queries of one head.
    private func attend(
        _ block: Range<Int>, _ query: Attention.Rows, _ mask: Attention.Rows?, _ scratch: Scratch,
        into output: Attention.Results
    ) {
        guard let multiplyKeys = Self.scores(block.count, shape), let multiplyValues = Self.results(block.count, shape)
        else { preconditionFailure("oneDNN's kernels were made when the attention was") }
        round(query, block, into: scratch.queries)
        let (scores, sums) = (scratch.scores.pointer, scratch.sums.pointer)
        multiplyKeys.run(scratch.queries.pointer, scratch.keys.pointer, into: scores)
        let weights = UnsafeMutableRawPointer(scratch.weights.pointer)
        // From the last row to the first: the softmax overwrites what follows a row, up to a whole vector.
        for row in (0..<block.count).reversed() {
            let line = scores + row * shape.keys
            if let mask {
                Elementwise.addScaled(
                    mask.floats + (block.lowerBound + row) * mask.distance, by: 1 / shape.scale, count: shape.keys,
                    to: line)
            }
            sums[row] = Softmax.exponentiate(
                line, count: shape.keys, scale: shape.scale, roundedInto: weights + 2 * row * shape.keys)
        }
        let results = scratch.results.pointer
        multiplyValues.run(weights, scratch.values.pointer, into: results)
        for row in 0..<block.count {
            let (factor, source) = (1 / sums[row], results + row * shape.headDimension)
            let target = output.advanced(byRows: row, columns: 0)
            if target.precision == .bfloat16 {
                BFloat16.narrow(source, times: factor, into: target.start, count: shape.headDimension)
            } else {
                let numbers = target.floats
                for index in 0..<shape.headDimension { numbers[index] = source[index] * factor }
            }
        }
    }

    /// Copies rows of a head, rounded, without gaps.
    private func round(_ rows: Attention.Rows, _ range: Range<Int>, into target: Tensor) {
        let (size, count) = (rows.precision.size, shape.headDimension)
        var target = UnsafeMutableRawPointer(target.pointer)
        for row in range {
            let source = rows.start + row * rows.distance * size
            if rows.precision == .bfloat16 {
                target.copyMemory(from: source, byteCount: 2 * count)
            } else {
                BFloat16.narrow(source.assumingMemoryBound(to: Float.self), into: target, count: count)
            }
            target += 2 * count
        }
    }
}
