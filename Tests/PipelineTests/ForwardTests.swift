import Compute
import Models
import Pipeline
import PipelineSupport
import Sampling
import TestSupport
import Testing

/// The laws of a forward that do not depend on a reference.
@Suite struct ForwardTests {
    /// A model with what a guided forward of it needs.
    private struct Setup {
        let network: any DiTNetwork
        let workspace: DiTWorkspace
        let table: ModulationTable
        let latents: Tensor
        let outputs: [Tensor]

        init(
            _ golden: GoldenCase = GoldenCase(name: "official-sample"), timesteps: [Double] = [900, 450, 3],
            threads: Int = 2
        ) throws {
            let directory = try golden.directory()
            let workers = Workers(count: threads)
            network = try golden.anyNetwork()
            workspace = DiTWorkspace(network: network, entries: 2, workers: workers)
            let last = network.parts.numClasses - (network.canBeGuided ? 0 : 1)
            let classes = [min(1, last), last]
            table = ModulationTable(network: network, timesteps: timesteps, classes: classes, workers: workers)
            let shape = directory.latentShape.dimensions
            latents = Tensor(noise(shape.reduce(1, *), seed: 4, scale: 2), shape: shape)
            let count = latents.count * (network.hasVariance ? 2 : 1)
            outputs = classes.map { _ in Tensor([count]) }
        }

        func forward(
            _ call: Int, subset: BatchSubset = BatchSubset(first: 2), interceptor: (any SiteInterceptor)? = nil
        ) {
            network.forward(
                latents: latents, call: call, subset: subset, modulation: table, workspace: workspace,
                outputs: outputs, interceptor: interceptor)
        }
    }

    @Test(arguments: GoldenCase.all + GoldenCase.clips)
    func `the number of threads changes no bit`(golden: GoldenCase) throws {
        let one = try Setup(golden, threads: 1)
        let many = try Setup(golden, threads: 3)
        for call in 0..<3 {
            one.forward(call)
            many.forward(call)
            for (a, b) in zip(one.outputs, many.outputs) { #expect(a.elements == b.elements) }
        }
    }

    @Test func `a branch gives the same bits alone and beside another`() throws {
        let together = try Setup()
        let alone = try Setup()
        together.forward(1)
        for entry in 0..<2 {
            alone.forward(1, subset: BatchSubset([entry]))
            #expect(alone.outputs[entry].elements == together.outputs[entry].elements)
        }
        #expect(together.outputs[0].elements != together.outputs[1].elements)
    }

    @Test func `branches outside the subset are left alone`() throws {
        let setup = try Setup()
        setup.outputs[0].values.update(repeating: 5)
        setup.forward(0, subset: BatchSubset([1]))
        #expect(setup.outputs[0].elements.allSatisfy { $0 == 5 })
    }

    @Test func `no tensor is allocated inside a step`() throws {
        let directory = try GoldenCase(name: "official-epsilon-sigma-float16").directory()
        let settings = SampleSettings(steps: 40, sampler: SamplerOptions(.ddim, eta: 1), guidanceScale: 3)
        let sampler = try ImageSampler(
            directory: directory, network: directory.load(), settings: settings, workers: Workers(count: 2))
        #expect(try sampler.stepsThatAllocate(SampleItem(classID: 2, seed: 5)).isEmpty)
    }

    @Test func `runs that take turns do not disturb each other`() throws {
        let directory = try GoldenCase(name: "official-sample").directory()
        let settings = SampleSettings(steps: 40, sampler: SamplerOptions(.ddim, eta: 0.5), guidanceScale: 2)
        let sampler = try ImageSampler(
            directory: directory, network: directory.load(), settings: settings, workers: Workers(count: 2))
        let items = [SampleItem(classID: 1, seed: 1), SampleItem(classID: 4, seed: 2)]
        let alone = try items.map { item in
            var run = try sampler.start(item)
            while try run.next() != nil {}
            return run.latents.elements
        }
        var runs = try items.map { try sampler.start($0) }
        for _ in 0..<40 {
            for index in runs.indices { _ = try runs[index].next() }
        }
        #expect(runs.map(\.latents.elements) == alone)
    }

    @Test func `modulation does not depend on where windows begin`() throws {
        let count = 2 * CallWindow.largest + 5
        let timesteps = (0..<count).map { Double(990 - 14 * $0) }
        let long = try Setup(timesteps: timesteps)
        for call in [0, 31, 32, count - 1, 40, 1] {
            let single = try Setup(timesteps: [timesteps[call]])
            long.forward(call)
            single.forward(0)
            // Products of another number of rows may round differently on some processors.
            for (found, expected) in zip(long.outputs, single.outputs) {
                #expect(largestRelativeDifference(found.elements, against: expected.elements) < 1e-5)
            }
        }
    }

    @Test func `an interceptor that only watches changes no bit and sees every site`() throws {
        let setup = try Setup()
        setup.forward(1)
        let plain = setup.outputs.map(\.elements)
        let recorder = SiteRecorder()
        setup.forward(1, interceptor: recorder)
        #expect(setup.outputs.map(\.elements) == plain)
        let blocks = 0..<setup.network.parts.depth
        let sites = blocks.flatMap { [Site.ID.layer(.attention, block: $0), .layer(.mlp, block: $0)] } + [.stack]
        for site in sites { #expect(Set(recorder.outputs[site]?.keys.map { $0 } ?? []) == [0, 1]) }
        #expect(recorder.outputs.count == sites.count)
    }

    @Test(arguments: [
        Site.ID.layer(.attention, block: 0), .layer(.mlp, block: 1), .layer(.attention, block: 2), .stack,
    ])
    func `replaying a site's output makes the same image, and another value does not`(site: Site.ID) throws {
        let setup = try Setup()
        let recorder = SiteRecorder()
        setup.forward(1, interceptor: recorder)
        let plain = setup.outputs.map(\.elements)
        let recorded = try #require(recorder.outputs[site])

        let replay = SiteReplay(site: site, values: recorded)
        setup.forward(1, interceptor: replay)
        #expect(setup.outputs.map(\.elements) == plain)
        #expect(replay.replaced == 2)
        #expect(!replay.observedItsSite)

        setup.forward(1, interceptor: SiteReplay(site: site, values: [0: recorded[0, default: []].map { $0 + 1 }]))
        #expect(setup.outputs[0].elements != plain[0])
        #expect(setup.outputs[1].elements == plain[1])
    }
}
