import Compute
import Foundation
import Models
import Pipeline
import PipelineSupport
import Sampling
import TestSupport
import Testing

/// The network and whole runs against diffusers, and against a plain reference of the official layout.
@Suite struct GoldenModelTests {
    @Test(arguments: GoldenCase.all + GoldenCase.clips)
    func `a forward agrees with the reference to 1e-5 of the largest output`(golden: GoldenCase) throws {
        let network = try golden.anyNetwork()
        let tensors = try golden.tensors()
        let latents = try tensors.tensor("latents")
        let workers = Workers(count: 2)
        let workspace = DiTWorkspace(network: network, entries: 1, workers: workers)
        for forward in try golden.scalars().forwards {
            let table = ModulationTable(
                network: network, timesteps: [forward.timestep], classes: [forward.class], workers: workers)
            let output = Tensor([network.latentShape.count * (network.hasVariance ? 2 : 1)])
            network.forward(
                latents: latents, call: 0, subset: BatchSubset(first: 1), modulation: table, workspace: workspace,
                outputs: [output])
            let expected = try tensors.tensor(forward.output)
            let difference = largestRelativeDifference(output.elements, against: expected.elements)
            #expect(
                figure(
                    "\(golden.name), forward at timestep \(forward.timestep), class \(forward.class)", difference,
                    below: 1e-5))
        }
    }

    @Test(arguments: GoldenCase.all + GoldenCase.clips)
    func `fifty guided steps end within 1e-3 of the reference's latents`(golden: GoldenCase) throws {
        let directory = try golden.directory()
        let scalars = try golden.scalars()
        let run = scalars.run
        let scheduler = run.scheduler_config
        let isFlow = run.prediction_type == .flow
        let spacing = try #require(TimestepSpacing(rawValue: scheduler.timestep_spacing ?? "linspace"))
        // diffusers keeps what a model predicts with the scheduler, so its model directories do not say.
        let process =
            scalars.layout == "official"
            ? directory.process
            : isFlow
                ? try DiffusionProcess(Flow(shift: 1))
                : try DiffusionProcess(
                    run.prediction_type,
                    betas: .linear(start: #require(scheduler.beta_start), end: #require(scheduler.beta_end)))
        let shape = directory.latentShape.dimensions
        let sampler = try makeSampler(
            SamplerOptions(isFlow ? .euler : .ddim, spacing: spacing), process: process, steps: run.steps, shape: shape)
        #expect(sampler.calls.count == run.timesteps.count)
        for (call, timestep) in zip(sampler.calls, run.timesteps) { #expect(abs(call.timestep - timestep) < 1e-3) }
        let tensors = try golden.tensors()
        let workers = Workers(count: 2)
        let network = try golden.anyNetwork()
        let workspace = DiTWorkspace(network: network, entries: 2, workers: workers)
        let denoiser = NetworkDenoiser(
            network: network, process: process, condition: .label(run.class), workspace: workspace)
        var sampling = try SamplingRun(
            denoiser: denoiser, sampler: sampler, guidance: Guidance(scale: run.guidance_scale),
            initialNoise: Tensor(try tensors.tensor("initial_noise").elements, shape: shape),
            noise: TorchRandom(seed: 0))
        while try sampling.next() != nil {}
        let expected = try tensors.tensor("final_latents")
        let difference = largestRelativeDifference(sampling.latents.elements, against: expected.elements)
        #expect(figure("\(golden.name), latents after \(run.steps) guided steps", difference, below: 1e-3))
    }
}
