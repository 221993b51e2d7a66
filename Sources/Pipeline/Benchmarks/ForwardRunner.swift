import Models
import Tensor

/// Forwards of a network on latents of noise, as one call of a run makes them.
final class ForwardRunner {
    /// What a forward writes, one per entry.
    let outputs: [Tensor]
    /// What it reads; may be changed.
    let latents: Tensor

    private let network: DiT
    private let subset: BatchSubset
    private let table: ModulationTable
    private let workspace: DiTWorkspace

    /// Makes what a forward of `entries` guidance branches needs; the modulation is computed here, as it is once for many
    /// calls of a run.
    init(network: DiT, entries: Int, workers: Workers) {
        let config = network.config
        self.network = network
        subset = BatchSubset(first: entries)
        latents = ArbitraryNumbers.tensor([config.inChannels, config.inputSize, config.inputSize], seed: 31)
        outputs = (0..<entries).map { _ in Tensor([config.outChannels, config.inputSize, config.inputSize]) }
        table = ModulationTable(
            network: network, timesteps: [500], classes: Array([0, config.numClasses].prefix(entries)),
            workers: workers)
        workspace = DiTWorkspace(config: config, entries: entries, workers: workers)
        run()
    }

    /// Measures the forwards; nil measures nothing.
    var clock: ForwardClock? {
        get { workspace.clock }
        set { workspace.clock = newValue }
    }

    /// One forward.
    func run() {
        network.forward(
            latents: latents, call: 0, subset: subset, modulation: table, workspace: workspace, outputs: outputs)
    }
}
