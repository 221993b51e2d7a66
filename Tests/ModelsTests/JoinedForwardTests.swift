import Compute
import Testing

@testable import Models

/// Forwards of a network that is large enough for its entries to share matrix products.
@Suite struct JoinedForwardTests {
    private static let entries = 3

    private let network: DiT

    init() throws {
        let config = try DiTConfig(
            depth: 2, hiddenSize: 192, heads: 3, patchSize: 2, inputSize: 16, inChannels: 4, learnSigma: true,
            numClasses: 10)
        network = DiT(config: config, weights: try DiTWeights(random: config, seed: 3))
    }

    /// The outputs of all entries, zeros of those that are not in `subset`.
    private func outputs(of subset: BatchSubset, threads: Int) -> [[Float]] {
        let config = network.config
        let workers = Workers(count: threads)
        let shape = [config.outChannels, config.inputSize, config.inputSize]
        let outputs = (0..<Self.entries).map { _ in Tensor(shape) }
        network.forward(
            latents: ArbitraryNumbers.tensor([config.inChannels, config.inputSize, config.inputSize], seed: 1), call: 0,
            subset: subset,
            modulation: ModulationTable(network: network, timesteps: [400], classes: [0, 4, 10], workers: workers),
            workspace: DiTWorkspace(network: network, entries: Self.entries, workers: workers), outputs: outputs)
        return outputs.map(\.elements)
    }

    @Test func `neither threads nor the other entries change a bit, be there gaps between them or not`() {
        let alone = (0..<Self.entries).map { outputs(of: BatchSubset([$0]), threads: 1)[$0] }
        #expect(Set(alone).count == Self.entries)
        for subset in [[0, 1, 2], [0, 2], [1, 2], [1]] {
            for threads in [1, 2, 3, 5] {
                let found = outputs(of: BatchSubset(subset), threads: threads)
                for entry in 0..<Self.entries {
                    let isRight =
                        subset.contains(entry) ? found[entry] == alone[entry] : found[entry].allSatisfy { $0 == 0 }
                    #expect(isRight, "entry \(entry) of \(subset) on \(threads) threads")
                }
            }
        }
    }

    @Test(arguments: [([0, 1, 3], 0..<2), ([7], 7..<8), ([2, 3, 4, 6], 2..<5), ([], 0..<0)])
    func `the first run of a subset ends at its first gap`(entries: [Int], run: Range<Int>) {
        #expect(BatchSubset(entries).firstRun == run)
    }

    @Test func `the first run of a full batch is the batch`() {
        #expect(BatchSubset(first: BatchSubset.capacity).firstRun == 0..<BatchSubset.capacity)
    }
}
