import Compute
import Models

/// A forward's own list of matrix products, bare: OpenBLAS called from every thread, each product split over them in the
/// way that suits it best here, without biases, activations or anything else of the forward.
///
/// What this reaches is the machine's sgemm rate, by which a forward is judged. The products read the network's own
/// weights, block after block, as the forward does.
final class BareProducts {
    /// How a product is cut for the threads.
    enum Split: String, CaseIterable, Sendable {
        /// Each entry's columns of the result.
        case columns
        /// Each entry's rows of the result.
        case rows
        /// One entry after another, none of them cut.
        case entries
        /// The columns of all entries' rows together.
        case joinedColumns = "joined columns"
        /// As the forward's own layers are cut.
        case tiles
        /// Attention: each head of each entry.
        case heads
        /// Attention: blocks of queries of each head.
        case queries
        /// Attention: blocks that OpenBLAS multiplies without packing them, the keys transposed beforehand.
        case direct
    }

    private let network: any DenoisingNetwork
    private let entries: Int
    private let workers: Workers
    private let memory: Memory
    private var splits: [String: Split] = [:]

    /// The numbers between the products, those of all entries one after another; products of one width share them.
    private final class Memory {
        var inputs: [Int: Tensor] = [:]
        var outputs: [Int: Tensor] = [:]
        /// The keys of every head of every entry, transposed.
        var keys: [Int: Tensor] = [:]
        /// Of each worker, those of the attention of a width that has the most.
        var scores: [Int: [Tensor]] = [:]

        init(_ network: any DenoisingNetwork, entries: Int, workers: Workers) {
            for product in network.products {
                let rows = product.entries(of: entries) * product.step.rows
                switch product.step.work {
                case .product(let layer, _):
                    Self.reserve(&inputs, layer.inputWidth, rows) { ArbitraryNumbers.tensor($0, seed: 1) }
                    Self.reserve(&outputs, layer.outputWidth, rows) { Tensor($0) }
                case .attention(let heads, let headDimension, let keys):
                    let width = heads * headDimension
                    let tokens = max(keys, product.step.rows)
                    Self.reserve(&inputs, 3 * width, entries * tokens) { ArbitraryNumbers.tensor($0, seed: 3) }
                    Self.reserve(&outputs, width, rows) { Tensor($0) }
                    let count = entries * heads * headDimension * keys
                    if self.keys[width]?.count ?? 0 < count {
                        self.keys[width] = ArbitraryNumbers.tensor([entries * heads, headDimension, keys], seed: 5)
                    }
                    if scores[width]?[0].count ?? 0 < product.step.rows * keys {
                        scores[width] = (0..<workers.count).map { _ in Tensor([product.step.rows, keys]) }
                    }
                case .modulation, .rmsNorm, .gatedAdd: break
                }
            }
        }

        private static func reserve(
            _ tensors: inout [Int: Tensor], _ width: Int, _ rows: Int, make: ([Int]) -> Tensor
        ) {
            if tensors[width]?.shape[0] ?? 0 < rows { tensors[width] = make([rows, width]) }
        }
    }

    /// Queries of a block, where heads are cut.
    private static let queries = 128
    /// A multiple of the widths of OpenBLAS' register tiles.
    private static let unit = 16

    /// Finds out which split suits each product best; takes a few times as long as the list.
    init(network: any DenoisingNetwork, entries: Int, workers: Workers) {
        self.network = network
        self.entries = entries
        self.workers = workers
        memory = Memory(network, entries: entries, workers: workers)
        for product in network.products {
            let candidates = splits(of: product)
            let bodies: [() -> Void] = candidates.map { split in
                { for step in product.steps { self.make(step, split) } }
            }
            let first = bodies.map { Stopwatch.seconds($0) }
            // The longer one takes, the less it is disturbed.
            let rounds = max(2, min(15, Int(0.5 / max(first.reduce(0, +), 1e-9))))
            let times = Stopwatch.interleaved(rounds: rounds, bodies).map { Quartiles($0).median }
            splits[product.name] = zip(candidates, times).min { $0.1 < $1.1 }?.0
        }
    }

    /// The splits that make sense for a product.
    func splits(of product: ForwardProduct) -> [Split] {
        if case .attention(_, let headDimension, let keys) = product.step.work {
            return [.heads, .queries]
                + (Attention.directBlocks(keys: keys, headDimension: headDimension) == nil ? [] : [.direct])
        }
        return [.columns, .rows, .tiles]
            + (product.entries(of: entries) > 1 ? [.entries, .joinedColumns] : [])
    }

    /// The split that was found to be the best.
    func split(of product: ForwardProduct) -> Split { splits[product.name] ?? splits(of: product)[0] }

    /// The steps of a forward that are products, with their best splits.
    private lazy var list: [(step: ForwardStep, split: Split)] = {
        let splits = Dictionary(uniqueKeysWithValues: network.products.map { ($0.name, split(of: $0)) })
        return network.steps.compactMap { step in splits[step.name].map { (step, $0) } }
    }()

    /// Makes every product of a forward once, in its order.
    func run() {
        for (step, split) in list { make(step, split) }
    }

    /// Makes one product of the first block in its best split.
    func run(_ product: ForwardProduct) {
        make(product.step, split(of: product))
    }

    /// The result of a product of the first block in a given split; zeros where it leaves its memory alone.
    func result(of product: ForwardProduct, _ split: Split) -> Tensor {
        let width =
            switch product.step.work {
            case .product(let layer, _): layer.outputWidth
            case .attention(let heads, let headDimension, _): heads * headDimension
            case .modulation(let width, _), .rmsNorm(let width), .gatedAdd(let width): width
            }
        guard let output = memory.outputs[width] else { preconditionFailure("reserved for every product") }
        output.values.update(repeating: 0)
        make(product.step, split)
        return output
    }

    private func make(_ step: ForwardStep, _ split: Split) {
        switch step.work {
        case .product(let layer, _): multiply(step, layer, split)
        case .attention(let heads, let headDimension, let keys):
            let attention = AttentionShape(rows: step.rows, heads: heads, headDimension: headDimension, keys: keys)
            guard split != .direct else { return attendDirectly(attention) }
            attend(attention, queries: split == .queries ? Self.queries : step.rows)
        case .modulation, .rmsNorm, .gatedAdd: break
        }
    }

    private func multiply(_ step: ForwardStep, _ layer: Linear, _ split: Split) {
        guard let weight = layer.weight.float32 else { preconditionFailure("benchmarks load weights at 32 bits") }
        guard let input = memory.inputs[layer.inputWidth], let output = memory.outputs[layer.outputWidth] else {
            return
        }
        let entries = step.isShared ? 1 : entries
        let rows = entries * step.rows
        func multiply(_ rows: Range<Int>, _ columns: Range<Int>) {
            BLAS.multiply(
                m: rows.count, n: columns.count, k: layer.inputWidth,
                input.pointer + rows.lowerBound * layer.inputWidth, lda: layer.inputWidth,
                weight + columns.lowerBound * layer.inputWidth, ldb: layer.inputWidth, .transposed,
                into: output.pointer + rows.lowerBound * layer.outputWidth + columns.lowerBound, ldc: layer.outputWidth)
        }
        guard split != .tiles else {
            let tiling = layer.tiling(blocks: entries, rows: step.rows, workers: workers)
            return workers.run(tasks: tiling.count) { _, tile in multiply(tiling[tile].rows, tiling[tile].columns) }
        }
        let blocks = split == .joinedColumns ? 1 : entries
        let (height, width) = (rows / blocks, layer.outputWidth)
        let columns = split == .columns || split == .joinedColumns ? Self.pieces(width, workers.count) : [0..<width]
        let bands = split == .rows ? Self.pieces(height, workers.count) : [0..<height]
        let pieces = columns.count * bands.count
        workers.run(tasks: blocks * pieces) { _, task in
            let column = columns[task % pieces % columns.count]
            let band = bands[task % pieces / columns.count]
            let first = task / pieces * height + band.lowerBound
            multiply(first..<first + band.count, column)
        }
    }

    private struct AttentionShape {
        let rows, heads, headDimension, keys: Int

        var width: Int { heads * headDimension }
        /// The rows of queries, keys and values side by side of an entry.
        var tokens: Int { max(rows, keys) }
    }

    /// The two products of every head, without the softmax between them.
    private func attend(_ shape: AttentionShape, queries: Int) {
        guard let input = memory.inputs[3 * shape.width], let output = memory.outputs[shape.width],
            let scores = memory.scores[shape.width]
        else { return }
        let (width, head) = (shape.width, shape.headDimension)
        let blocks = (shape.rows + queries - 1) / queries
        workers.run(tasks: entries * shape.heads * blocks) { worker, task in
            let first = task % blocks * queries
            let rows = min(queries, shape.rows - first)
            let column = task / blocks % shape.heads * head
            let entry = task / blocks / shape.heads
            let qkv = input.pointer + entry * shape.tokens * 3 * width + column
            let scores = scores[worker].pointer
            BLAS.multiply(
                m: rows, n: shape.keys, k: head, qkv + first * 3 * width, lda: 3 * width, qkv + width, ldb: 3 * width,
                .transposed, into: scores, ldc: shape.keys)
            BLAS.multiply(
                m: rows, n: head, k: shape.keys, scores, lda: shape.keys, qkv + 2 * width, ldb: 3 * width,
                into: output.pointer + (entry * shape.rows + first) * width + column, ldc: width)
        }
    }

    /// The same in small blocks, with the keys transposed.
    private func attendDirectly(_ shape: AttentionShape) {
        guard let block = Attention.directBlocks(keys: shape.keys, headDimension: shape.headDimension),
            let input = memory.inputs[3 * shape.width], let output = memory.outputs[shape.width],
            let scores = memory.scores[shape.width], let transposed = memory.keys[shape.width]
        else { return }
        let (width, head) = (shape.width, shape.headDimension)
        let queries = (shape.rows + block.queries - 1) / block.queries
        workers.run(tasks: entries * shape.heads * queries) { worker, task in
            let first = task % queries * block.queries
            let rows = min(block.queries, shape.rows - first)
            let (entry, index) = (task / queries / shape.heads, task / queries % shape.heads)
            let qkv = input.pointer + entry * shape.tokens * 3 * width + index * head
            let keys = transposed.pointer + task / queries * head * shape.keys
            let scores = scores[worker].pointer
            for key in stride(from: 0, to: shape.keys, by: block.keys) {
                BLAS.multiply(
                    m: rows, n: min(block.keys, shape.keys - key), k: head, qkv + first * 3 * width, lda: 3 * width,
                    keys + key, ldb: shape.keys, into: scores + key, ldc: shape.keys)
            }
            for key in stride(from: 0, to: shape.keys, by: block.keys) {
                BLAS.multiply(
                    m: rows, n: head, k: min(block.keys, shape.keys - key), scores + key, lda: shape.keys,
                    qkv + 2 * width + key * 3 * width, ldb: 3 * width,
                    into: output.pointer + (entry * shape.rows + first) * width + index * head, ldc: width,
                    adding: key > 0)
            }
        }
    }

    /// At most `count` pieces of 0..<length, as equal as whole units allow.
    private static func pieces(_ length: Int, _ count: Int) -> [Range<Int>] {
        let size = (length + count * unit - 1) / (count * unit) * unit
        return stride(from: 0, to: length, by: size).map { $0..<min($0 + size, length) }
    }
}
