import Glibc
import Models
import Tensor

/// The operations of a forward at a model's shapes, over all entries at once as a guided forward does them.
struct DiTOperations {
    private let network: DiT
    private let entries: Int
    private let workers: Workers
    private let bare: BareProducts

    /// Rows that one elementwise task handles, as in the forward.
    private static let rowsPerTask = 32

    /// Those of `network` for `entries` entries.
    init(network: DiT, entries: Int, workers: Workers) {
        self.network = network
        self.entries = entries
        self.workers = workers
        bare = BareProducts(network: network, entries: entries, workers: workers)
    }

    private var config: DiTConfig { network.config }
    private var rows: Int { entries * config.tokens }
    /// Spread over the rows and over the entries.
    private var checkedRows: [Int] { [0, config.tokens / 2 + 1, rows - 1] }

    /// All of them, in the order of the forward.
    var all: [BenchmarkOperation] {
        [linear(.patchEmbedding), modulation, normalisation, linear(.qkv), attention, softmax]
            + [linear(.attentionOut), gatedAdd, linear(.mlpIn), gelu, linear(.mlpOut), linear(.finalProjection)]
    }

    // MARK: - Matrix products

    /// A layer with its bias.
    private func linear(_ product: ForwardProduct) -> BenchmarkOperation {
        let bare = bare
        var operation = affine(
            product.rawValue, product.shape(config, entries: entries),
            layer: product.layer(network.weights, block: 0) ?? network.weights.finalProjection,
            entries: product == .patchEmbedding ? 1 : entries, rows: config.tokens)
        operation.bare = { bare.run(product, block: 0) }
        return operation
    }

    /// The modulation of a block, for a window of calls.
    private var modulation: BenchmarkOperation {
        let layer = network.weights.blocks[0].modulation
        let rows = ModulationTable.callsPerWindow * entries
        return affine(
            "modulation", "\(rows) rows, \(layer.inputWidth) to \(layer.outputWidth)", layer: layer, entries: 1,
            rows: rows)
    }

    private func affine(
        _ name: String, _ shape: String, layer: Linear, entries: Int, rows: Int
    ) -> BenchmarkOperation {
        let (inputs, outputs) = (layer.inputWidth, layer.outputWidth)
        let x = ArbitraryNumbers.tensor([entries * rows, inputs], seed: 11)
        let y = Tensor([entries * rows, outputs])
        let workers = workers
        let checked = [0, entries * rows / 2, entries * rows - 1]
        return BenchmarkOperation(
            name: name, shape: shape, operations: 2 * Double(entries * rows * inputs * outputs), bound: 1e-5,
            error: {
                let weight = layer.weight.elements
                return BenchmarkOperation.error(
                    checked.flatMap { row in
                        (0..<outputs).map { output in
                            var sum = Double(layer.bias.values[output])
                            for input in 0..<inputs {
                                sum += Double(x.values[row * inputs + input]) * Double(weight[output * inputs + input])
                            }
                            return (y.values[row * outputs + output], sum)
                        }
                    })
            },
            run: {
                let tiling = layer.tiling(blocks: entries, rows: rows, workers: workers)
                workers.run(tasks: tiling.count) { _, tile in
                    layer.run(tile: tile, of: tiling, x.pointer, into: y.pointer)
                }
            })
    }

    private var attention: BenchmarkOperation {
        let (tokens, heads, width, head) = (config.tokens, config.heads, config.hiddenSize, config.headWidth)
        let qkv = ArbitraryNumbers.tensor([rows, 3 * width], seed: 12)
        let output = Tensor([rows, width])
        let kernel = Attention(tokens: tokens, heads: heads, headWidth: head, workers: workers)
        let (workers, entries, checked, bare) = (workers, entries, checkedRows, bare)
        return BenchmarkOperation(
            name: ForwardProduct.attention.rawValue, shape: ForwardProduct.attention.shape(config, entries: entries),
            operations: 4 * Double(rows * tokens * width), bound: 1e-5,
            error: {
                BenchmarkOperation.error(
                    checked.flatMap { row in
                        let expected = Self.attended(qkv, row: row, tokens: tokens, heads: heads, headWidth: head)
                        return (0..<width).map { (output.values[row * width + $0], expected[$0]) }
                    })
            },
            run: {
                workers.run(tasks: entries * kernel.taskCount) { worker, task in
                    let entry = task / kernel.taskCount * tokens
                    kernel.run(
                        task: task % kernel.taskCount, worker: worker, qkv: qkv.pointer + entry * 3 * width,
                        into: output.pointer + entry * width)
                }
            },
            bare: { bare.run(.attention, block: 0) })
    }

    /// softmax(q K^T / sqrt(K)) V of one row, in double precision.
    private static func attended(_ qkv: Tensor, row: Int, tokens: Int, heads: Int, headWidth: Int) -> [Double] {
        let width = heads * headWidth
        let first = row / tokens * tokens
        func number(_ row: Int, _ column: Int) -> Double { Double(qkv.values[row * 3 * width + column]) }
        return (0..<heads).flatMap { head in
            let columns = head * headWidth..<(head + 1) * headWidth
            let weights = (first..<first + tokens).map { token in
                exp(
                    columns.reduce(0.0) { $0 + number(row, $1) * number(token, width + $1) }
                        / Double(headWidth).squareRoot())
            }
            let sum = weights.reduce(0, +)
            return columns.map { column in
                weights.indices.reduce(0.0) { $0 + weights[$1] * number(first + $1, 2 * width + column) } / sum
            }
        }
    }

    // MARK: - Elementwise

    /// Spreads pieces of rows over the workers.
    private static func forEachRows(_ workers: Workers, _ rows: Int, _ body: (Range<Int>) -> Void) {
        workers.run(tasks: (rows + rowsPerTask - 1) / rowsPerTask) { _, piece in
            body(piece * rowsPerTask..<min(rows, (piece + 1) * rowsPerTask))
        }
    }

    private var normalisation: BenchmarkOperation {
        let (rows, width, workers, checked) = (rows, config.hiddenSize, workers, checkedRows)
        let x = ArbitraryNumbers.tensor([rows, width], seed: 13)
        let (shift, scale) = (ArbitraryNumbers.tensor([width], seed: 14), ArbitraryNumbers.tensor([width], seed: 15))
        let y = Tensor([rows, width])
        let epsilon = config.normEpsilon
        return BenchmarkOperation(
            name: "norm, modulation", shape: "\(rows) x \(width)", bytes: 8 * Double(rows * width), bound: 1e-5,
            error: {
                BenchmarkOperation.error(
                    checked.flatMap { row in
                        let line = (0..<width).map { Double(x.values[row * width + $0]) }
                        let mean = line.reduce(0, +) / Double(width)
                        let variance = line.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
                        let factor = 1 / (variance + epsilon).squareRoot()
                        return (0..<width).map {
                            let normal = (line[$0] - mean) * factor
                            let expected = normal * (1 + Double(scale.values[$0])) + Double(shift.values[$0])
                            return (y.values[row * width + $0], expected)
                        }
                    })
            },
            run: {
                Self.forEachRows(workers, rows) {
                    LayerNorm.modulated(
                        x.pointer + $0.lowerBound * width, rows: $0.count, width: width, epsilon: Float(epsilon),
                        shift: shift.pointer, scale: scale.pointer, into: y.pointer + $0.lowerBound * width)
                }
            })
    }

    private var gatedAdd: BenchmarkOperation {
        let (rows, width, workers) = (rows, config.hiddenSize, workers)
        let y = ArbitraryNumbers.tensor([rows, width], seed: 16)
        let gate = ArbitraryNumbers.tensor([width], seed: 17)
        return inPlace(
            "gated add", rows: rows, width: width, bytes: 12,
            expected: { index, x in x + Double(gate.values[index % width]) * Double(y.values[index]) },
            run: { x in
                Self.forEachRows(workers, rows) {
                    Elementwise.addGated(
                        y.pointer + $0.lowerBound * width, gate: gate.pointer, rows: $0.count, width: width,
                        to: x + $0.lowerBound * width)
                }
            })
    }

    private var gelu: BenchmarkOperation {
        let (rows, width, workers) = (rows, config.mlpWidth, workers)
        return inPlace(
            "GELU", rows: rows, width: width, bytes: 8,
            expected: { _, x in
                x / (1 + exp(-2 * (2 / Double.pi).squareRoot() * (x + 0.044_715 * x * x * x)))
            },
            run: { x in
                Self.forEachRows(workers, rows) {
                    Activation.gelu.apply(to: x + $0.lowerBound * width, count: $0.count * width)
                }
            })
    }

    /// The exponentials of all scores of one head of each entry.
    private var softmax: BenchmarkOperation {
        let (rows, width, workers) = (rows, Softmax.stride(config.tokens), workers)
        let largest = Tensor([rows])
        return inPlace(
            "softmax", rows: rows, width: width, bytes: 8,
            prepare: { x in
                for row in 0..<rows {
                    largest.values[row] = (0..<width).reduce(-Float.infinity) { max($0, x[row * width + $1]) }
                }
            },
            expected: { index, x in exp(x - Double(largest.values[index / width])) },
            run: { x in
                Self.forEachRows(workers, rows) {
                    for row in $0 { _ = Softmax.exponentiate(x + row * width, count: width) }
                }
            })
    }

    /// An operation that changes a (rows, width) matrix; `bytes` are those moved for each of its numbers.
    private func inPlace(
        _ name: String, rows: Int, width: Int, bytes: Double, prepare: (UnsafePointer<Float>) -> Void = { _ in },
        expected: @escaping (_ index: Int, _ before: Double) -> Double,
        run: @escaping (UnsafeMutablePointer<Float>) -> Void
    ) -> BenchmarkOperation {
        let source = ArbitraryNumbers.tensor([rows, width], seed: 18)
        let values = Tensor([rows, width])
        prepare(source.pointer)
        return BenchmarkOperation(
            name: name, shape: "\(rows) x \(width)", bytes: bytes * Double(rows * width), bound: 1e-5,
            reset: { values.copy(from: source) },
            error: {
                BenchmarkOperation.error(
                    source.values.indices.lazy.map { (values.values[$0], expected($0, Double(source.values[$0]))) })
            },
            run: { withExtendedLifetime(values) { run(values.pointer) } })
    }
}
