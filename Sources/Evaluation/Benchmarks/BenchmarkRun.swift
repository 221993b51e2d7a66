import Compute
import Models
import Pipeline
import Sampling

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
                network: subject.network, condition: subject.config.conditions.condition(at: 0), workspace: workspace),
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
