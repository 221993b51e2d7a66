import Compute
import Evaluation
import Models
import Pipeline
import PipelineSupport
import Sampling
import Testing

/// Runs of a Latte through the pipeline: sites, budgets, guidance.
@Suite struct LatteRunTests {
    private let golden = GoldenCase(name: "latte-classes")

    @Test func `a budget of 1 changes no bit with any strategy, and a smaller one is kept`() throws {
        let directory = try golden.directory()
        let settings = SampleSettings(steps: 10, sampler: directory.defaultSettings.sampler, guidanceScale: 2)
        try expectKeptBudgets(of: directory, directory.load(), settings, condition: .label(0))
    }

    @Test func `with prompts, budgets are kept too`() throws {
        let golden = PixArtCase.clips[0]
        let directory = try golden.directory()
        let settings = SampleSettings(steps: 10, sampler: directory.defaultSettings.sampler, guidanceScale: 2)
        try expectKeptBudgets(of: directory, golden.network(), settings, condition: .prompt("caption 0"))
    }

    @Test func `replaying the output of any site makes the same clip, and another value does not`() throws {
        let network = try golden.anyNetwork()
        let latents = try golden.tensors().tensor("latents")
        let outputs = (0..<2).map { _ in Tensor([2 * latents.count]) }
        let session = try network.workspace(entries: 2, workers: Workers(count: 2)).session(
            timesteps: [600], conditions: [.label(1), .null])
        func forward(_ interceptor: (any SiteInterceptor)? = nil) -> [[Float]] {
            session.evaluate(
                latents: latents, call: 0, subset: BatchSubset(first: 2), into: outputs, interceptor: interceptor)
            return outputs.map(\.elements)
        }
        let plain = forward()
        let recorder = SiteRecorder()
        #expect(forward(recorder) == plain)
        #expect(recorder.order == network.sites.map(\.id))
        for site in network.sites.map(\.id) {
            let recorded = try #require(recorder.outputs[site])
            #expect(forward(SiteReplay(site: site, values: recorded)) == plain, "\(site)")
            let other = forward(
                SiteReplay(site: site, values: [0: recorded[0, default: []].map { $0 * 2 + 1 }]))
            #expect(other[0] != plain[0] && other[1] == plain[1], "\(site)")
        }
    }

    @Test func `a model without classes draws its only one, and cannot be guided`() throws {
        let directory = try GoldenCase(name: "latte-unconditional-float16").directory()
        #expect(directory.classes.names == ["unconditional"])
        #expect(directory.defaultSettings.guidanceScale == 1)
        #expect(WorkList.drawnCondition(5, of: directory.conditions) == .label(0))
        var settings = directory.defaultSettings
        settings.guidanceScale = 4
        let error = #expect(throws: PipelineError.self) { try settings.schedule(for: directory) }
        #expect("\(try #require(error))".contains("so it cannot be guided; give --cfg-scale 1"))
    }

    @Test func `another size than the model's is refused`() throws {
        let error = #expect(throws: PipelineError.self) {
            try golden.directory().sized(PictureSize(width: 128, height: 64))
        }
        #expect("\(try #require(error))".contains("the model cannot draw 128 x 64 pixels"))
    }
}
