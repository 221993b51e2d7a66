import Models
import Tensor

/// Where a forward's time goes, measured inside of it.
///
/// A layer's product, bias and activation are one task. What bias and activation take of it is found by doing them again
/// on their own, over pieces of the same size that a product has just been written to, or might have been.
struct ForwardProfiler {
    private let network: DiT
    private let entries: Int
    private let workers: Workers

    /// Profiles forwards of `entries` guidance branches.
    init(network: DiT, entries: Int, workers: Workers) {
        self.network = network
        self.entries = entries
        self.workers = workers
    }

    /// The names of the parts, in the order of a profile.
    static let parts = [
        "matrix products", "attention", "norm and modulation", "bias and activation", "gated add",
        "embedding and unpatching", "waiting",
    ]

    private static let layers: [(ForwardClock.Region, ForwardProduct)] = [
        (.qkv, .qkv), (.attentionOut, .attentionOut), (.mlpIn, .mlpIn), (.mlpOut, .mlpOut),
        (.finalProjection, .finalProjection),
    ]

    /// The profile of `repeats` forwards.
    func measure(repeats: Int) -> BenchmarkReport.Profile {
        let runner = ForwardRunner(network: network, entries: entries, workers: workers)
        let clock = ForwardClock()
        runner.clock = clock
        var wall = 0.0
        for _ in 0..<repeats { wall += Stopwatch.seconds(runner.run) }
        let count = Double(repeats)
        var seconds = Dictionary(
            uniqueKeysWithValues: ForwardClock.Region.allCases.map { ($0, clock.seconds(in: $0) / count) })

        var (products, finishing) = (0.0, 0.0)
        for (region, product) in Self.layers {
            let inside = seconds.removeValue(forKey: region) ?? 0
            let calls = Double(product.count(network.config, entries: 1))
            let finish = min(inside, calls * finishSeconds(of: product))
            finishing += finish
            products += inside - finish
        }
        let total = wall / count * Double(workers.count)
        func spent(_ region: ForwardClock.Region) -> Double { seconds[region] ?? 0 }
        let known: [Double] = [
            products, spent(.attention), spent(.normalisation), finishing, spent(.gatedAdd),
            spent(.embedding),
        ]
        let waiting = total - known.reduce(0, +)
        return BenchmarkReport.Profile(
            branches: entries, seconds: wall / count,
            parts: zip(Self.parts, known + [waiting]).map {
                BenchmarkReport.Profile.Part(name: $0, share: $1 / total, seconds: $1)
            })
    }

    /// What the biases and the activation of one layer take in all entries, in seconds of one thread.
    private func finishSeconds(of product: ForwardProduct) -> Double {
        guard let layer = product.layer(network.weights, block: 0) else { return 0 }
        let tiling = layer.tiling(blocks: entries, rows: network.config.tokens, workers: workers)
        let values = RandomNumbers.tensor([entries * network.config.tokens, layer.outputWidth], seed: 41)
        let times = (0..<5).map { _ in
            Stopwatch.seconds {
                for tile in 0..<tiling.count {
                    layer.finish(tile: tile, of: tiling, values.pointer, activation: product == .mlpIn ? .gelu : nil)
                }
            }
        }
        return Quartiles(times).median
    }
}
