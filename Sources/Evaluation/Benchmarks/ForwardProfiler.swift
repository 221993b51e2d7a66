import Compute
import Models

/// Where a forward's time goes, measured inside of it.
///
/// A layer's product and its activation are one task. What the activation takes of it is found by doing it again on its
/// own, over tiles of the same size.
struct ForwardProfiler {
    private let network: any DenoisingNetwork
    private let entries: Int
    private let workers: Workers

    /// Profiles forwards of `entries` guidance branches.
    init(network: any DenoisingNetwork, entries: Int, workers: Workers) {
        self.network = network
        self.entries = entries
        self.workers = workers
    }

    /// The names of the parts, in the order of a profile.
    static let parts = [
        "matrix products", "attention", "norm and modulation", "activation", "gated add",
        "embedding and unpatching", "waiting",
    ]

    /// The profile of `repeats` forwards.
    func measure(repeats: Int) throws -> BenchmarkReport.Profile {
        let runner = try ForwardRunner(network: network, entries: entries, workers: workers)
        let clock = ForwardClock()
        runner.clock = clock
        var wall = 0.0
        for _ in 0..<repeats { wall += Stopwatch.seconds(runner.run) }
        let count = Double(repeats)
        let seconds = Dictionary(
            uniqueKeysWithValues: ForwardClock.Region.allCases.map { ($0, clock.seconds(in: $0) / count) })

        func spent(_ region: ForwardClock.Region) -> Double { seconds[region] ?? 0 }
        let products = spent(.product) + spent(.activatedProduct)
        let activation = min(spent(.activatedProduct), activationSeconds())
        let total = wall / count * Double(workers.count)
        let known: [Double] = [
            products - activation, spent(.attention), spent(.normalisation), activation, spent(.gatedAdd),
            spent(.embedding),
        ]
        let waiting = total - known.reduce(0, +)
        return BenchmarkReport.Profile(
            branches: entries, seconds: wall / count,
            parts: zip(Self.parts, known + [waiting]).map {
                BenchmarkReport.Profile.Part(name: $0, share: $1 / total, seconds: $1)
            })
    }

    /// What the activations of a forward take in all entries, in seconds of one thread.
    private func activationSeconds() -> Double {
        network.products.reduce(0) { sum, product in
            guard case .product(let layer, let activation?) = product.step.work else { return sum }
            let entries = product.entries(of: entries)
            let tiling = layer.tiling(blocks: entries, rows: product.step.rows, workers: workers)
            let values = ArbitraryNumbers.tensor([entries * product.step.rows, layer.outputWidth], seed: 41)
            let times = (0..<5).map { _ in
                Stopwatch.seconds {
                    for tile in 0..<tiling.count {
                        layer.activate(tile: tile, of: tiling, values.pointer, by: activation)
                    }
                }
            }
            return sum + Double(product.steps.count) * Quartiles(times).median
        }
    }
}
