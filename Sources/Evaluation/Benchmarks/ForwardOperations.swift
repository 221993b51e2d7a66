import Compute
import Glibc
import Models

/// The operations of a forward at a network's shapes, over all entries at once as a guided forward does them.
struct ForwardOperations {
    private let network: any DenoisingNetwork
    private let entries: Int
    private let workers: Workers
    private let bare: any BareForward
    private let engine: any Engine

    /// Rows that one elementwise task handles, as in the forward.
    private static let rowsPerTask = 32

    /// Those of `network` for `entries` entries.
    init(network: any DenoisingNetwork, engine: any Engine, entries: Int, workers: Workers) {
        self.engine = engine
        self.network = network
        self.entries = entries
        self.workers = workers
        bare = engine.bareProducts(of: network, entries: entries, workers: workers)
    }

    /// All of them in the order of the forward, each once: what is computed ahead follows what is shared.
    var all: [BenchmarkOperation] {
        let products = Dictionary(uniqueKeysWithValues: network.products.map { ($0.name, $0) })
        var seen: Set<String> = []
        let steps = network.steps.filter { seen.insert($0.name).inserted }
        func operations(_ step: ForwardStep) -> [BenchmarkOperation] {
            switch step.work {
            case .product(let layer, let activation):
                guard let product = products[step.name] else { return [] }
                return [linear(product, layer)] + (activation.map { [self.activation($0, step, layer)] } ?? [])
            case .attention(let heads, let headDimension, let keys):
                guard let product = products[step.name] else { return [] }
                return [attention(product, heads, headDimension, keys), softmax(step, keys)]
            case .modulation(let width, let epsilon):
                return seen.insert("norm, modulation").inserted ? [normalisation(step, width, epsilon)] : []
            case .rmsNorm(let width):
                return seen.insert("rms norm \(width)").inserted ? [rmsNorm(step, width)] : []
            case .gatedAdd(let width): return [gatedAdd(step, width)]
            }
        }
        return steps.filter(\.isShared).flatMap(operations) + network.preparation.compactMap(prepared)
            + steps.filter { !$0.isShared }.flatMap(operations)
    }

    // MARK: - Matrix products

    /// A layer with its bias.
    private func linear(_ product: ForwardProduct, _ layer: Linear) -> BenchmarkOperation {
        let bare = bare
        var operation = affine(
            product.name, product.shape(entries: entries), layer: layer, entries: product.entries(of: entries),
            rows: product.step.rows)
        operation.bare = { bare.run(product) }
        return operation
    }

    /// What a session computes ahead.
    private func prepared(_ step: ForwardStep) -> BenchmarkOperation? {
        guard case .product(let layer, _) = step.work else { return nil }
        let rows = step.isShared ? step.rows : step.rows * entries
        return affine(
            step.name, "\(rows) rows, \(layer.inputWidth) to \(layer.outputWidth)", layer: layer, entries: 1, rows: rows
        )
    }

    private func affine(
        _ name: String, _ shape: String, layer: Linear, entries: Int, rows: Int
    ) -> BenchmarkOperation {
        let (inputs, outputs) = (layer.inputWidth, layer.outputWidth)
        let x = ArbitraryNumbers.tensor([entries * rows, inputs], seed: 11)
        let y = Tensor([entries * rows, outputs])
        let (workers, scratch) = (workers, ProductScratch())
        let checked = [0, entries * rows / 2, entries * rows - 1]
        return BenchmarkOperation(
            name: name, shape: shape, operations: 2 * Double(entries * rows * inputs * outputs),
            bound: engine.errorBound,
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
                layer(x.pointer, blocks: entries, rows: rows, into: y.pointer, workers: workers, scratch: scratch)
            })
    }

    /// Spread over the rows and over the entries.
    private func checkedRows(_ tokens: Int) -> [Int] { [0, tokens / 2 + 1, entries * tokens - 1] }

    /// The queries, keys and values of an entry are side by side, in as many rows as there are tokens or keys.
    func attention(_ product: ForwardProduct, _ heads: Int, _ head: Int, _ keys: Int) -> BenchmarkOperation {
        let (tokens, width) = (product.step.rows, heads * head)
        let (rows, span) = (entries * tokens, max(tokens, keys))
        let qkv = ArbitraryNumbers.tensor([entries * span, 3 * width], seed: 12)
        let output = Tensor([rows, width])
        let kernel = Attention(
            queries: tokens, keys: keys, heads: heads, headDimension: head, engine: engine, workers: workers)
        let (workers, entries, checked, bare) = (workers, entries, checkedRows(tokens), bare)
        return BenchmarkOperation(
            name: product.name, shape: product.shape(entries: entries),
            operations: 4 * Double(rows * keys * width), bound: engine.errorBound,
            error: {
                BenchmarkOperation.error(
                    checked.flatMap { row in
                        let first = row / tokens * span
                        let expected = Self.attended(
                            qkv, query: first + row % tokens, keys: first..<first + keys, heads: heads,
                            headDimension: head)
                        return (0..<width).map { (output.values[row * width + $0], expected[$0]) }
                    })
            },
            run: {
                workers.run(tasks: entries * kernel.taskCount) { worker, task in
                    let entry = task / kernel.taskCount
                    kernel.run(
                        task: task % kernel.taskCount, worker: worker, qkv: qkv.pointer + entry * span * 3 * width,
                        into: output.pointer + entry * tokens * width)
                }
            },
            bare: { bare.run(product) })
    }

    /// softmax(q K^T / sqrt(K)) V of one row, in double precision.
    private static func attended(
        _ qkv: Tensor, query: Int, keys: Range<Int>, heads: Int, headDimension: Int
    ) -> [Double] {
        let width = heads * headDimension
        func number(_ row: Int, _ column: Int) -> Double { Double(qkv.values[row * 3 * width + column]) }
        return (0..<heads).flatMap { head in
            let columns = head * headDimension..<(head + 1) * headDimension
            let weights = keys.map { key in
                exp(
                    columns.reduce(0.0) { $0 + number(query, $1) * number(key, width + $1) }
                        / Double(headDimension).squareRoot())
            }
            let sum = weights.reduce(0, +)
            return columns.map { column in
                zip(weights, keys).reduce(0.0) { $0 + $1.0 * number($1.1, 2 * width + column) } / sum
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

    private func normalisation(_ step: ForwardStep, _ width: Int, _ epsilon: Double) -> BenchmarkOperation {
        let (rows, workers, checked) = (entries * step.rows, workers, checkedRows(step.rows))
        let x = ArbitraryNumbers.tensor([rows, width], seed: 13)
        let (shift, scale) = (ArbitraryNumbers.tensor([width], seed: 14), ArbitraryNumbers.tensor([width], seed: 15))
        let y = Tensor([rows, width])
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

    private func rmsNorm(_ step: ForwardStep, _ width: Int) -> BenchmarkOperation {
        let (rows, workers, checked, epsilon) = (entries * step.rows, workers, checkedRows(step.rows), Float(1e-6))
        let x = ArbitraryNumbers.tensor([rows, width], seed: 13)
        let scale = ArbitraryNumbers.tensor([width], seed: 15)
        let y = Tensor([rows, width])
        return BenchmarkOperation(
            name: "RMS norm", shape: "\(rows) x \(width)", bytes: 8 * Double(rows * width), bound: 1e-5,
            error: {
                BenchmarkOperation.error(
                    checked.flatMap { row in
                        let line = (0..<width).map { Double(x.values[row * width + $0]) }
                        let square = line.reduce(0) { $0 + $1 * $1 } / Double(width)
                        let factor = 1 / (square + Double(epsilon)).squareRoot()
                        return (0..<width).map {
                            (y.values[row * width + $0], line[$0] * factor * Double(scale.values[$0]))
                        }
                    })
            },
            run: {
                Self.forEachRows(workers, rows) {
                    RMSNorm.apply(
                        x.pointer + $0.lowerBound * width, rows: $0.count, width: width, epsilon: epsilon,
                        scale: scale.pointer, into: y.pointer + $0.lowerBound * width)
                }
            })
    }

    private func gatedAdd(_ step: ForwardStep, _ width: Int) -> BenchmarkOperation {
        let (rows, workers) = (entries * step.rows, workers)
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

    private func activation(_ activation: Activation, _ step: ForwardStep, _ layer: Linear) -> BenchmarkOperation {
        let (rows, width, workers) = (entries * step.rows, layer.outputWidth, workers)
        return inPlace(
            activation == .gelu ? "GELU" : "SiLU", rows: rows, width: width, bytes: 8,
            expected: { _, x in
                switch activation {
                case .silu: x / (1 + exp(-x))
                case .gelu: x / (1 + exp(-2 * (2 / Double.pi).squareRoot() * (x + 0.044_715 * x * x * x)))
                }
            },
            run: { x in
                Self.forEachRows(workers, rows) {
                    activation.apply(to: x + $0.lowerBound * width, count: $0.count * width)
                }
            })
    }

    /// The exponentials of all scores of one head of each entry.
    private func softmax(_ step: ForwardStep, _ keys: Int) -> BenchmarkOperation {
        let (rows, width, workers) = (entries * step.rows, Vector.whole(keys), workers)
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

/// A matrix product of a forward, or those of an attention: one step of it, which several blocks may have.
struct ForwardProduct {
    /// Its name.
    let name: String
    /// The step in each block that has it.
    let steps: [ForwardStep]

    /// The step in the first block.
    var step: ForwardStep { steps[0] }

    /// The entries of a forward of `entries` for which it is made.
    func entries(of entries: Int) -> Int { step.isShared ? 1 : entries }

    /// The shape for people: rows x inputs x outputs, or tokens and heads.
    func shape(entries: Int) -> String {
        let rows = step.isShared ? "\(step.rows)" : "\(entries) x \(step.rows)"
        return switch step.work {
        case .product(let layer, _): "\(rows) rows, \(layer.inputWidth) to \(layer.outputWidth)"
        case .attention(let heads, let headDimension, let keys):
            "\(rows) tokens, \(keys == step.rows ? "" : "\(keys) keys, ")\(heads) heads of \(headDimension)"
        case .modulation, .rmsNorm, .gatedAdd: "\(rows) rows"
        }
    }
}

extension DenoisingNetwork {
    /// The matrix products of a forward by their names, in the order in which it first makes them.
    var products: [ForwardProduct] {
        let steps = steps.filter { $0.multiplyAdds > 0 }
        let names = steps.map(\.name).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        return names.map { name in ForwardProduct(name: name, steps: steps.filter { $0.name == name }) }
    }

    /// What a forward's products take, two operations per multiplication and addition.
    func operations(entries: Int) -> Double {
        steps.reduce(0) { $0 + 2 * Double(($1.isShared ? 1 : entries) * $1.multiplyAdds) }
    }
}
