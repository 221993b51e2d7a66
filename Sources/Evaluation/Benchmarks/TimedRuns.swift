import Compute
import Models
import Pipeline
import Sampling

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

/// Short runs of a subject: guided where it can be.
struct BenchmarkRun {
    let subject: BenchmarkSubject
    private let workspace: any ForwardWorkspace

    /// Allocates the memory that the runs share.
    init(subject: BenchmarkSubject, workers: Workers) {
        self.subject = subject
        workspace = subject.network.workspace(entries: 2, workers: workers)
    }

    /// A run, before its first step.
    func start(steps: Int) throws -> SamplingRun {
        let shape = subject.latentShape
        return try SamplingRun(
            denoiser: NetworkDenoiser(
                network: subject.network, process: subject.process,
                condition: subject.config.conditions.condition(at: 0), workspace: workspace),
            sampler: makeSampler(
                SamplerOptions(defaultFor: subject.process), process: subject.process, steps: steps, shape: shape),
            guidance: Guidance(scale: subject.branches == 2 ? 1.5 : 1), shape: shape, noise: TorchRandom(seed: 1))
    }

    /// The latents of a whole run.
    func sample(steps: Int) throws -> Tensor {
        var run = try start(steps: steps)
        while try run.next() != nil {}
        return run.latents
    }
}

/// Takes times.
enum Stopwatch {
    /// What `body` takes, in seconds.
    static func seconds(_ body: () throws -> Void) rethrows -> Double {
        try ContinuousClock().measure(body) / .seconds(1)
    }

    /// What each of `bodies` takes in each of `rounds`, by body: one after the other within a round, begun by another in
    /// each, so that none always follows the same.
    static func interleaved<Failure: Error>(
        rounds: Int, _ bodies: [() throws(Failure) -> Void]
    ) throws(Failure) -> [[Double]] {
        var times = bodies.map { _ in [Double]() }
        for round in 0..<rounds {
            for position in bodies.indices {
                let index = (round + position) % bodies.count
                let start = ContinuousClock.now
                try bodies[index]()
                times[index].append((ContinuousClock.now - start) / .seconds(1))
            }
        }
        return times
    }
}
