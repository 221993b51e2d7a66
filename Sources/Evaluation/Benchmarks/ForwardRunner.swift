import Compute
import Models

/// Forwards of a network on latents of noise, as one call of a run makes them.
final class ForwardRunner {
    /// What a forward writes, one per entry.
    let outputs: [Tensor]
    /// What it reads; may be changed.
    let latents: Tensor

    private let subset: BatchSubset
    private let workspace: any ForwardWorkspace
    private let session: any ForwardSession

    /// Makes what a forward of `entries` guidance branches needs; what a session computes ahead is computed here, as it is
    /// once for many calls of a run.
    init(network: any DenoisingNetwork, entries: Int, workers: Workers) throws {
        subset = BatchSubset(first: entries)
        latents = ArbitraryNumbers.tensor(network.latentShape.dimensions, seed: 31)
        let count = network.latentShape.count * (network.hasVariance ? 2 : 1)
        outputs = (0..<entries).map { _ in Tensor([count]) }
        workspace = network.workspace(entries: entries, workers: workers)
        session = try workspace.session(
            timesteps: [500], conditions: Array([network.conditions.condition(at: 0), .null].prefix(entries)))
        run()
    }

    /// Measures the forwards; nil measures nothing.
    var clock: ForwardClock? {
        get { workspace.clock }
        set { workspace.clock = newValue }
    }

    /// One forward.
    func run() {
        session.evaluate(latents: latents, call: 0, subset: subset, into: outputs, interceptor: nil)
    }
}
