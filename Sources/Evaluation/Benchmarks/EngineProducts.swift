import Compute
import Models

/// A forward's own list of matrix products as an engine makes them, bare: of operands in the engine's own form, in its own
/// tiles, without conversions, activations, softmax or anything else of the forward.
///
/// For engines that pack weights in forms of their own; what OpenBLAS reaches is found by ``BareProducts``.
final class EngineProducts: BareForward {
    private let bodies: [String: () -> Void]
    private let list: [() -> Void]

    init(network: any DenoisingNetwork, engine: any Engine, entries: Int, workers: Workers) {
        var bodies: [String: () -> Void] = [:]
        var list: [() -> Void] = []
        for product in network.products {
            let blocks = product.entries(of: entries)
            for step in product.steps {
                let body: () -> Void
                switch step.work {
                case .product(let layer, _):
                    let x = ArbitraryNumbers.tensor([blocks * step.rows, layer.inputWidth], seed: 1)
                    let y = Tensor([blocks * step.rows, layer.outputWidth])
                    body = layer.product(of: x, blocks: blocks, rows: step.rows, into: y, workers: workers)
                case .attention(let heads, let headDimension, let keys):
                    let attention = Attention(
                        queries: step.rows, keys: keys, heads: heads, headDimension: headDimension, engine: engine,
                        workers: workers)
                    body =
                        attention.multiply(task: 0, worker: 0)
                        ? {
                            workers.run(tasks: blocks * attention.taskCount) { worker, task in
                                _ = attention.multiply(task: task % attention.taskCount, worker: worker)
                            }
                        } : Self.attention(attention.shape, entries: blocks, workers: workers)
                case .modulation, .rmsNorm, .gatedAdd: continue
                }
                bodies[product.name] = bodies[product.name] ?? body
                list.append(body)
            }
        }
        (self.bodies, self.list) = (bodies, list)
    }

    /// The products of every head through OpenBLAS, by blocks of queries, with the keys transposed beforehand.
    private static func attention(_ shape: AttentionShape, entries: Int, workers: Workers) -> () -> Void {
        let (keys, size, rows) = (shape.keys, shape.headDimension, min(32, shape.queries))
        let numbers = ArbitraryNumbers.tensor([size, max(keys, rows)], seed: 3)
        let results = (0..<workers.count).map { _ in (Tensor([rows, keys]), Tensor([rows, size])) }
        let blocks = (shape.queries + rows - 1) / rows
        return {
            workers.run(tasks: entries * shape.heads * blocks) { worker, _ in
                let (scores, output) = results[worker]
                BLAS.multiply(
                    m: rows, n: keys, k: size, numbers.pointer, lda: size, numbers.pointer, ldb: keys,
                    into: scores.pointer, ldc: keys)
                BLAS.multiply(
                    m: rows, n: size, k: keys, scores.pointer, lda: keys, numbers.pointer, ldb: size,
                    into: output.pointer, ldc: size)
            }
        }
    }

    func run() { for body in list { body() } }

    func run(_ product: ForwardProduct) { bodies[product.name]?() }

    func splitName(of product: ForwardProduct) -> String { "tiles" }
}

/// The matrix products of a forward, bare: what it is judged by.
protocol BareForward: AnyObject {
    /// Makes every product of a forward once.
    func run()
    /// Makes one product of the first block.
    func run(_ product: ForwardProduct)
    /// How a product is split for the threads.
    func splitName(of product: ForwardProduct) -> String
}

extension BareProducts: BareForward {
    func splitName(of product: ForwardProduct) -> String { split(of: product).rawValue }
}

extension Engine {
    /// The bare products of a network that this engine has prepared.
    func bareProducts(of network: any DenoisingNetwork, entries: Int, workers: Workers) -> any BareForward {
        packsWeights
            ? EngineProducts(network: network, engine: self, entries: entries, workers: workers)
            : BareProducts(network: network, entries: entries, workers: workers)
    }

    /// The largest error of its products that is right, as a share of the largest result.
    var errorBound: Double {
        switch arithmetic.precision {
        case .float32: 1e-5
        case .bfloat16: 0.02
        case .int8: 0.06
        }
    }
}
