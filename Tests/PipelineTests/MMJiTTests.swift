import Caching
import Compute
import Models
import PipelineSupport
import Sampling
import TestSupport
import Testing

@testable import Pipeline

/// The transformer of MiniT2I, against a plain reference and by its laws.
@Suite struct MMJiTTests {
    private static let item = SampleItem(condition: .prompt("a red apple"), seed: 3)

    /// The outputs of both branches at one call.
    private func outputs(
        of network: any DenoisingNetwork, latents: Tensor, subset: BatchSubset = BatchSubset(first: 2),
        threads: Int = 2,
        interceptor: (any SiteInterceptor)? = nil
    ) throws -> [[Float]] {
        let workspace = network.workspace(entries: 2, workers: Workers(count: threads))
        let session = try workspace.session(timesteps: [0.5], conditions: [Self.item.condition, .null])
        let outputs = (0..<2).map { _ in Tensor(latents.shape) }
        session.evaluate(latents: latents, call: 0, subset: subset, into: outputs, interceptor: interceptor)
        return outputs.map(\.elements)
    }

    @Test(arguments: GoldenMMJiT.names)
    func `a forward agrees with the reference to 1e-5 of the largest output`(name: String) throws {
        let golden = GoldenMMJiT(name: name)
        let tensors = try golden.tensors()
        let found = try outputs(of: golden.network(), latents: tensors.tensor("latents"))
        for (index, key) in ["with", "without"].enumerated() {
            let expected = try tensors.tensor(key).elements
            let difference = largestRelativeDifference(found[index], against: expected)
            #expect(figure("MM-JiT \(name), \(key) a prompt", difference, below: 1e-5))
        }
    }

    @Test(arguments: GoldenMMJiT.names)
    func `fifty guided steps end within 1e-3 of MiniT2I's sampler`(name: String) throws {
        let golden = GoldenMMJiT(name: name)
        let tensors = try golden.tensors()
        let directory = try golden.directory()
        var settings = directory.defaultSettings
        #expect(settings.steps == 100 && settings.sampler.kind == .euler)
        (settings.steps, settings.guidanceScale) = (50, 2.5)
        let sampler = try ImageSampler(
            directory: directory, network: golden.network(), settings: settings, workers: Workers(count: 2))
        var run = try sampler.start(Self.item, initialNoise: tensors.tensor("noise"))
        while try run.next() != nil {}
        let difference = largestRelativeDifference(
            run.latents.elements, against: try tensors.tensor("final").elements)
        #expect(figure("MM-JiT \(name), 50 guided steps", difference, below: 1e-3))
    }

    @Test(arguments: GoldenMMJiT.names)
    func `neither threads nor the other branch change a bit`(name: String) throws {
        let golden = GoldenMMJiT(name: name)
        let (network, latents) = (try golden.network(), try golden.tensors().tensor("latents"))
        let both = try outputs(of: network, latents: latents, threads: 1)
        for threads in [2, 3] { #expect(try outputs(of: network, latents: latents, threads: threads) == both) }
        for entry in 0..<2 {
            let alone = try outputs(of: network, latents: latents, subset: BatchSubset([entry]))
            #expect(alone[entry] == both[entry])
            #expect(alone[1 - entry].allSatisfy { $0 == 0 })
        }
    }

    @Test func `a run encodes its prompt once`() throws {
        let golden = GoldenMMJiT(name: "even")
        let encoder = FixedPromptEncoder(states: try golden.tensors().tensor("states"))
        let directory = try golden.directory()
        let sampler = try ImageSampler(
            directory: directory, network: directory.load(prompts: encoder), settings: directory.defaultSettings,
            workers: Workers(count: 1))
        var run = try sampler.start(Self.item)
        while try run.next() != nil {}
        #expect(encoder.count == 1)
    }

    @Test func `a budget of 1 changes no bit, and half of it does`() throws {
        let golden = GoldenMMJiT(name: "even")
        let directory = try golden.directory()
        let (settings, network) = (directory.defaultSettings, try golden.network())
        let schedule = try settings.schedule(for: directory)
        func sample(_ budget: Double?) throws -> [Float] {
            let sampler = try ImageSampler(
                directory: directory, network: network, settings: settings, workers: Workers(count: 2))
            let resolver = PlanResolver(schedule: schedule)
            let reuse = try budget.flatMap {
                try resolver.resolve(
                    ReuseRequest(budget: Budget($0), planner: .uniform, forecaster: ForecasterChoice("taylor:1")))
            }
            var run = try sampler.start(Self.item) { base in
                guard let reuse, let forecaster = try? reuse.forecaster(for: schedule) else { return base }
                return CachedDenoiser(
                    base, predictionType: directory.process.predictionType, plan: reuse.decisions,
                    forecaster: forecaster)
            }
            while try run.next() != nil {}
            return run.latents.elements
        }
        let plain = try sample(nil)
        #expect(try sample(1) == plain)
        let half = try sample(0.5)
        #expect(half != plain)
        let isFinite = half.allSatisfy(\.isFinite)
        #expect(isFinite)
    }

    /// Replaces every layer of the blocks by zeros.
    private final class Silence: SiteInterceptor {
        let kinds: Set<LayerKind>
        init(_ kinds: Set<LayerKind>) { self.kinds = kinds }

        func replaces(
            _ site: Site.ID, call: Int, entry: Int, input: UnsafeBufferPointer<Float>,
            output: UnsafeMutableBufferPointer<Float>
        ) -> Bool {
            guard case .layer(let kind, _) = site, kinds.contains(kind) else { return false }
            output.update(repeating: 0)
            return true
        }
    }

    @Test func `sites of both streams can be replaced, alone and together`() throws {
        let golden = GoldenMMJiT(name: "even")
        let (network, latents) = (try golden.network(), try golden.tensors().tensor("latents"))
        let kinds: [LayerKind] = [.attention, .textAttention, .mlp, .textMLP]
        #expect(Set(network.layerKinds) == Set(kinds))
        let plain = try outputs(of: network, latents: latents)
        var seen = [plain]
        for kind in kinds {
            let found = try outputs(of: network, latents: latents, interceptor: Silence([kind]))
            #expect(!seen.contains(found), "\(kind.rawValue)")
            seen.append(found)
        }
        // Without any layer both branches see the picture alone.
        let silent = try outputs(of: network, latents: latents, interceptor: Silence(Set(kinds)))
        #expect(silent[0] == silent[1])
        let total = network.layers.reduce(0) { $0 + $1.multiplyAdds }
        #expect(total <= network.stack.multiplyAdds && total > network.stack.multiplyAdds * 9 / 10)
    }

    @Test func `an encoder of another width is refused, and so is none`() throws {
        let directory = try GoldenMMJiT(name: "even").directory()
        let narrow = #expect(throws: ModelError.self) {
            try directory.load(prompts: FixedPromptEncoder(states: Tensor([2, 5])))
        }
        #expect("\(try #require(narrow))".contains("txt_input_size is 12, but the text encoder's states are 5 wide"))
        let none = #expect(throws: ModelError.self) { try directory.load() }
        #expect("\(try #require(none))".contains("there is no text encoder"))
    }
}
