import Compute
import Models
import Pipeline
import PipelineSupport
import Sampling
import TestSupport
import Testing

/// PixArt, LatteT2V and whole runs of them against diffusers, from directories as its pipelines save them.
@Suite struct PixArtGoldenTests {
    @Test(arguments: PixArtCase.all + PixArtCase.clips)
    func `a forward agrees with diffusers to 1e-5 of the largest output`(golden: PixArtCase) throws {
        let (network, scalars, tensors) = (try golden.network(), try golden.scalars(), try golden.tensors())
        let latents = Tensor(try tensors.tensor("latents").elements, shape: network.latentShape.dimensions)
        let workspace = network.workspace(entries: 1, workers: Workers(count: 2))
        for (index, forward) in scalars.forwards.enumerated() {
            let prompt = scalars.captions[forward.caption]
            let expected = try tensors.tensor("output.\(index)")
            let output = Tensor([expected.count])
            let session = try workspace.session(timesteps: [forward.timestep], conditions: [.prompt(prompt)])
            session.evaluate(
                latents: latents, call: 0, subset: BatchSubset(first: 1), into: [output], interceptor: nil)
            let difference = largestRelativeDifference(output.elements, against: expected.elements)
            #expect(
                figure(
                    "\(golden.name), forward at timestep \(forward.timestep), '\(prompt)'", difference, below: 1e-5))
        }
    }

    @Test(arguments: PixArtCase.all + PixArtCase.clips)
    func `twenty guided steps of its scheduler end within 1e-3 of diffusers' latents`(golden: PixArtCase) throws {
        let (directory, run) = (try golden.directory(), try golden.scalars().run)
        let (network, tensors) = (try golden.network(), try golden.tensors())
        let sampler = try makeSampler(
            directory.defaultSettings.sampler, process: directory.process, steps: run.steps,
            shape: network.latentShape.dimensions)
        #expect(sampler.calls.map(\.timestep) == run.timesteps)
        let denoiser = NetworkDenoiser(
            network: network, process: directory.process,
            condition: .prompt(try golden.scalars().captions[run.caption]),
            workspace: network.workspace(entries: 2, workers: Workers(count: 2)))
        var sampling = try SamplingRun(
            denoiser: denoiser, sampler: sampler, guidance: Guidance(scale: run.guidance_scale),
            initialNoise: Tensor(
                try tensors.tensor("initial_noise").elements, shape: network.latentShape.dimensions),
            noise: TorchRandom(seed: 0))
        while try sampling.next() != nil {}
        let expected = try tensors.tensor("final_latents")
        let difference = largestRelativeDifference(sampling.latents.elements, against: expected.elements)
        #expect(figure("\(golden.name), latents after \(run.steps) guided steps", difference, below: 1e-3))
    }

    @Test func `the defaults are those of the pipelines`() throws {
        let directory = try PixArtCase.square.directory()
        #expect(directory.defaultSettings.guidanceScale == 4.5)
        #expect(directory.defaultSettings.sampler.kind == .dpmSolver)
        #expect(directory.hasNullClass)
    }

    @Test func `the defaults of clips are those of their pipeline`() throws {
        for golden in PixArtCase.clips {
            let directory = try golden.directory()
            #expect(directory.defaultSettings.guidanceScale == 7.5 && directory.defaultSettings.steps == 50)
            #expect(directory.defaultSettings.sampler.kind == .ddim)
            #expect(directory.conditions.promptRules?.tokens == 120 && directory.config.framesPerSecond == 8)
        }
    }

    @Test func `the kind of pipeline tells how long a prompt may be`() throws {
        for golden in PixArtCase.all {
            let limit = try golden.directory().config.conditions.promptRules?.tokens
            #expect(limit == (golden.name.contains("sigma") ? 300 : 120), "\(golden.name)")
        }
    }
}
