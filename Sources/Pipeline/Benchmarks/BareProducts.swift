import Models
import Tensor

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

    private let network: DiT
    private let entries: Int
    private let workers: Workers
    private let splits: [ForwardProduct: Split]
    private let memory: Memory

    /// The numbers between the products, those of all entries one after another.
    private struct Memory {
        let narrow, wide, qkv, hidden, out, patches, projected: Tensor
        /// The keys of every head of every entry, transposed.
        let keys: Tensor
        let scores: [Tensor]

        init(_ config: DiTConfig, entries: Int, workers: Workers) {
            let (rows, width) = (entries * config.tokens, config.hiddenSize)
            let patch = config.patchSize * config.patchSize
            narrow = ArbitraryNumbers.tensor([rows, width], seed: 1)
            wide = ArbitraryNumbers.tensor([rows, config.mlpWidth], seed: 2)
            qkv = ArbitraryNumbers.tensor([rows, 3 * width], seed: 3)
            keys = ArbitraryNumbers.tensor([entries * config.heads, config.headWidth, config.tokens], seed: 5)
            hidden = Tensor([rows, max(config.mlpWidth, 3 * width)])
            out = Tensor([rows, width])
            patches = ArbitraryNumbers.tensor([config.tokens, config.inChannels * patch], seed: 4)
            projected = Tensor([rows, config.outChannels * patch])
            scores = (0..<workers.count).map { _ in Tensor([config.tokens, config.tokens]) }
        }
    }

    /// Queries of a block, where heads are cut.
    private static let queries = 128
    /// A multiple of the widths of OpenBLAS' register tiles.
    private static let unit = 16

    private var config: DiTConfig { network.config }

    /// Finds out which split suits each product best; takes a few times as long as the list.
    init(network: DiT, entries: Int, workers: Workers) {
        self.network = network
        self.entries = entries
        self.workers = workers
        let memory = Memory(network.config, entries: entries, workers: workers)
        self.memory = memory
        var best: [ForwardProduct: Split] = [:]
        for product in ForwardProduct.allCases {
            let trial = BareProducts(network: network, entries: entries, workers: workers, splits: [:], memory: memory)
            let candidates = trial.splits(of: product)
            let bodies: [() -> Void] = candidates.map { split in { trial.runAll(product, split) } }
            let first = bodies.map { Stopwatch.seconds($0) }
            // The longer one takes, the less it is disturbed.
            let rounds = max(2, min(15, Int(0.5 / max(first.reduce(0, +), 1e-9))))
            let times = Stopwatch.interleaved(rounds: rounds, bodies).map { Quartiles($0).median }
            best[product] = zip(candidates, times).min { $0.1 < $1.1 }?.0
        }
        splits = best
    }

    private init(
        network: DiT, entries: Int, workers: Workers, splits: [ForwardProduct: Split], memory: Memory
    ) {
        self.network = network
        self.entries = entries
        self.workers = workers
        self.splits = splits
        self.memory = memory
    }

    /// The blocks of a head that OpenBLAS multiplies without packing, if there are any.
    private var directBlocks: (queries: Int, keys: Int)? {
        Attention.directBlocks(tokens: config.tokens, headWidth: config.headWidth)
    }

    /// The splits that make sense for a product.
    func splits(of product: ForwardProduct) -> [Split] {
        switch product {
        case .attention: [.heads, .queries] + (directBlocks == nil ? [] : [.direct])
        case .patchEmbedding: [.columns, .rows, .tiles]
        default: [.columns, .rows, .tiles] + (entries > 1 ? [.entries, .joinedColumns] : [])
        }
    }

    /// The split that was found to be the best.
    func split(of product: ForwardProduct) -> Split { splits[product] ?? splits(of: product)[0] }

    /// Makes every product of a forward once, in its order.
    func run() {
        make(.patchEmbedding, block: 0, split(of: .patchEmbedding))
        for block in 0..<config.depth {
            for product in ForwardProduct.allCases where product.isInBlocks {
                make(product, block: block, split(of: product))
            }
        }
        make(.finalProjection, block: 0, split(of: .finalProjection))
    }

    /// Makes one product of a block in its best split.
    func run(_ product: ForwardProduct, block: Int) {
        make(product, block: block, split(of: product))
    }

    /// Makes one product of every block.
    private func runAll(_ product: ForwardProduct, _ split: Split) {
        for block in 0..<(product.isInBlocks ? config.depth : 1) { make(product, block: block, split) }
    }

    /// The result of a product of block 0 in a given split; zeros where it leaves its memory alone.
    func result(of product: ForwardProduct, _ split: Split) -> Tensor {
        let output = operands(of: product).output
        output.values.update(repeating: 0)
        make(product, block: 0, split)
        return output
    }

    private func operands(of product: ForwardProduct) -> (input: Tensor, output: Tensor) {
        switch product {
        case .patchEmbedding: (memory.patches, memory.out)
        case .qkv: (memory.narrow, memory.hidden)
        case .attention: (memory.qkv, memory.out)
        case .attentionOut: (memory.narrow, memory.out)
        case .mlpIn: (memory.narrow, memory.hidden)
        case .mlpOut: (memory.wide, memory.out)
        case .finalProjection: (memory.narrow, memory.projected)
        }
    }

    private func make(_ product: ForwardProduct, block: Int, _ split: Split) {
        let (input, output) = operands(of: product)
        guard let layer = product.layer(network.weights, block: block) else {
            guard split != .direct else { return attendDirectly() }
            return attend(queries: split == .queries ? Self.queries : config.tokens)
        }
        guard let weight = layer.weight.float32 else { preconditionFailure("benchmarks load weights at 32 bits") }
        let rows = (product == .patchEmbedding ? 1 : entries) * config.tokens
        func multiply(_ rows: Range<Int>, _ columns: Range<Int>) {
            BLAS.multiply(
                m: rows.count, n: columns.count, k: layer.inputWidth,
                input.pointer + rows.lowerBound * layer.inputWidth, lda: layer.inputWidth,
                weight + columns.lowerBound * layer.inputWidth, ldb: layer.inputWidth, .transposed,
                into: output.pointer + rows.lowerBound * layer.outputWidth + columns.lowerBound, ldc: layer.outputWidth)
        }
        guard split != .tiles else {
            let tiling = layer.tiling(blocks: rows / config.tokens, rows: config.tokens, workers: workers)
            return workers.run(tasks: tiling.count) { _, tile in multiply(tiling[tile].rows, tiling[tile].columns) }
        }
        let blocks = split == .joinedColumns ? 1 : rows / config.tokens
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

    /// The two products of every head, without the softmax between them.
    private func attend(queries: Int) {
        let (tokens, width, head) = (config.tokens, config.hiddenSize, config.headWidth)
        let blocks = (tokens + queries - 1) / queries
        workers.run(tasks: entries * config.heads * blocks) { worker, task in
            let first = task % blocks * queries
            let rows = min(queries, tokens - first)
            let column = task / blocks % config.heads * head
            let entry = task / blocks / config.heads * tokens
            let qkv = memory.qkv.pointer + entry * 3 * width + column
            let scores = memory.scores[worker].pointer
            BLAS.multiply(
                m: rows, n: tokens, k: head, qkv + first * 3 * width, lda: 3 * width, qkv + width, ldb: 3 * width,
                .transposed, into: scores, ldc: tokens)
            BLAS.multiply(
                m: rows, n: head, k: tokens, scores, lda: tokens, qkv + 2 * width, ldb: 3 * width,
                into: memory.out.pointer + (entry + first) * width + column, ldc: width)
        }
    }

    /// The same in small blocks, with the keys transposed.
    private func attendDirectly() {
        guard let block = directBlocks else { return }
        let (tokens, width, head) = (config.tokens, config.hiddenSize, config.headWidth)
        let queries = (tokens + block.queries - 1) / block.queries
        workers.run(tasks: entries * config.heads * queries) { worker, task in
            let first = task % queries * block.queries
            let rows = min(block.queries, tokens - first)
            let (entry, index) = (task / queries / config.heads * tokens, task / queries % config.heads)
            let qkv = memory.qkv.pointer + entry * 3 * width + index * head
            let keys = memory.keys.pointer + task / queries * head * tokens
            let scores = memory.scores[worker].pointer
            for key in stride(from: 0, to: tokens, by: block.keys) {
                BLAS.multiply(
                    m: rows, n: min(block.keys, tokens - key), k: head, qkv + first * 3 * width, lda: 3 * width,
                    keys + key, ldb: tokens, into: scores + key, ldc: tokens)
            }
            for key in stride(from: 0, to: tokens, by: block.keys) {
                BLAS.multiply(
                    m: rows, n: head, k: min(block.keys, tokens - key), scores + key, lda: tokens,
                    qkv + 2 * width + key * 3 * width, ldb: 3 * width,
                    into: memory.out.pointer + (entry + first) * width + index * head, ldc: width, adding: key > 0)
            }
        }
    }

    /// At most `count` pieces of 0..<length, as equal as whole units allow.
    private static func pieces(_ length: Int, _ count: Int) -> [Range<Int>] {
        let size = (length + count * unit - 1) / (count * unit) * unit
        return stride(from: 0, to: length, by: size).map { $0..<min($0 + size, length) }
    }
}
