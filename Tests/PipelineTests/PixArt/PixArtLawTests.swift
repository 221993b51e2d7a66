import Compute
import Models
import Pipeline
import PipelineSupport
import Sampling
import TestSupport
import Testing

/// The laws of PixArt's forwards and runs that do not depend on a reference.
@Suite struct PixArtLawTests {
    /// A model with a session of two captions of different lengths.
    private final class Setup {
        let network: any DenoisingNetwork
        let session: any ForwardSession
        let latents: Tensor
        let outputs: [Tensor]

        init(
            _ golden: PixArtCase, threads: Int = 2, prompts: [String]? = nil,
            engine: any Engine = OpenBLASEngine()
        ) throws {
            network = try golden.network(engine: engine)
            let (captions, shape) = (try golden.scalars().captions, network.latentShape)
            let workspace = network.workspace(entries: 2, workers: Workers(count: threads))
            session = try workspace.session(
                timesteps: [900, 450, 3], conditions: (prompts ?? [captions[0], ""]).map { .prompt($0) })
            latents = Tensor(noise(shape.count, seed: 4, scale: 2), shape: shape.dimensions)
            let count = shape.count * (network.hasVariance ? 2 : 1)
            outputs = (0..<2).map { _ in Tensor([count]) }
        }

        func forward(
            _ call: Int = 1, _ subset: BatchSubset = BatchSubset(first: 2),
            interceptor: (any SiteInterceptor)? = nil
        ) {
            session.evaluate(
                latents: latents, call: call, subset: subset, into: outputs, interceptor: interceptor)
        }
    }

    @Test(arguments: PixArtCase.all + PixArtCase.clips)
    func `the number of threads changes no bit`(golden: PixArtCase) throws {
        let one = try Setup(golden, threads: 1)
        let many = try Setup(golden, threads: 3)
        for call in 0..<3 {
            one.forward(call)
            many.forward(call)
            for (a, b) in zip(one.outputs, many.outputs) { #expect(a.elements == b.elements) }
        }
    }

    @Test(arguments: PixArtCase.all)
    func `a branch gives the same bits alone and beside one with a caption of another length`(
        golden: PixArtCase
    ) throws {
        let together = try Setup(golden)
        let alone = try Setup(golden)
        together.forward()
        for entry in 0..<2 {
            alone.forward(1, BatchSubset([entry]))
            #expect(alone.outputs[entry].elements == together.outputs[entry].elements)
        }
        #expect(together.outputs[0].elements != together.outputs[1].elements)
    }

    @Test(arguments: [Precision.float32, .bfloat16, .int8])
    func `with oneDNN too, threads and other branches change no bit, and the output stays close`(
        precision: Precision
    ) throws {
        // Where a machine does not have it, there is nothing to test.
        guard let engine = try? Arithmetic(engine: .onednn, precision: precision).open() else { return }
        let golden = PixArtCase(name: "pixart-sigma")
        let exact = try Setup(golden)
        let together = try Setup(golden, threads: 3, engine: engine)
        let alone = try Setup(golden, threads: 1, engine: engine)
        exact.forward()
        together.forward()
        for entry in 0..<2 {
            alone.forward(1, BatchSubset([entry]))
            #expect(alone.outputs[entry].elements == together.outputs[entry].elements)
            let difference = largestRelativeDifference(
                together.outputs[entry].elements, against: exact.outputs[entry].elements)
            #expect(difference < (precision == .float32 ? 1e-5 : 0.3), "\(precision)")
        }
    }

    @Test func `a prompt is encoded in lower case and without white space around it`() throws {
        let plain = try Setup(.square)
        let shouted = try Setup(.square, prompts: [" \tCAPTION 0\n", " "])
        plain.forward()
        shouted.forward()
        for (a, b) in zip(plain.outputs, shouted.outputs) { #expect(a.elements == b.elements) }
    }

    @Test func `no caption is the empty prompt`() throws {
        let (golden, workers) = (PixArtCase.square, Workers(count: 1))
        let network = try golden.network()
        let setup = try Setup(golden)
        setup.forward()
        let session = try network.workspace(entries: 1, workers: workers).session(
            timesteps: [900, 450, 3], conditions: [.null])
        let output = Tensor([setup.outputs[0].count])
        session.evaluate(
            latents: setup.latents, call: 1, subset: BatchSubset(first: 1), into: [output], interceptor: nil)
        #expect(output.elements == setup.outputs[1].elements)
    }

    @Test func `a run encodes each caption once, and no step allocates a tensor`() throws {
        let golden = PixArtCase.square
        let (directory, encoder) = (try golden.directory(), try golden.encoder())
        let settings = SampleSettings(
            steps: 40, sampler: directory.defaultSettings.sampler, guidanceScale: 4.5)
        let sampler = try ImageSampler(
            directory: directory, network: golden.network(encoder), settings: settings, workers: Workers(count: 2))
        #expect(try sampler.stepsThatAllocate(SampleItem(condition: .prompt("caption 0"), seed: 5)).isEmpty)
        #expect(encoder.calls == 100)
    }

    @Test func `an interceptor that only watches changes no bit and sees every site in order`() throws {
        let setup = try Setup(.square)
        setup.forward()
        let plain = setup.outputs.map(\.elements)
        let recorder = SiteRecorder()
        setup.forward(interceptor: recorder)
        #expect(setup.outputs.map(\.elements) == plain)
        #expect(recorder.order == setup.network.sites.map(\.id))
        #expect(setup.network.layerKinds.map(\.rawValue) == ["attention", "cross-attention", "mlp"])
    }

    @Test func `replaying the output of any site makes the same image, and another value does not`() throws {
        let setup = try Setup(.square)
        let recorder = SiteRecorder()
        setup.forward(interceptor: recorder)
        let plain = setup.outputs.map(\.elements)
        for site in setup.network.sites.map(\.id) {
            let recorded = try #require(recorder.outputs[site])
            setup.forward(interceptor: SiteReplay(site: site, values: recorded))
            #expect(setup.outputs.map(\.elements) == plain, "\(site)")
            setup.forward(interceptor: SiteReplay(site: site, values: [0: recorded[0, default: []].map { $0 * 2 + 1 }]))
            #expect(setup.outputs[0].elements != plain[0], "\(site)")
            #expect(setup.outputs[1].elements == plain[1], "\(site)")
        }
    }

    @Test func `a budget of 1 changes no bit with any strategy, and a smaller one is kept`() throws {
        let golden = PixArtCase.square
        let (directory, network) = (try golden.directory(), try golden.network())
        let settings = SampleSettings(steps: 10, sampler: directory.defaultSettings.sampler, guidanceScale: 2)
        try expectKeptBudgets(
            of: directory, network, settings, condition: .prompt("caption 0"))
    }

    @Test func `without an encoder, or with one of another width, the reason is told`() throws {
        let golden = PixArtCase.square
        let error = #expect(throws: ModelError.self) { try golden.directory().load() }
        #expect("\(try #require(error))".contains("there is no text encoder"))
        let narrow = RecordedEncoder(["": Tensor([1, 7])])
        let other = #expect(throws: ModelError.self) { try golden.network(narrow) }
        #expect(
            "\(try #require(other))".contains("caption_channels is 20, but the text encoder's states are 7 wide"))
    }
}
