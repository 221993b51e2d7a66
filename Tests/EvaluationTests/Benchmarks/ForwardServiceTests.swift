import Compute
import Foundation
import Models
import Sampling
import Testing

@testable import Evaluation
@testable import Pipeline

@Suite final class ForwardServiceTests {
    private let folder: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "omnicache-service-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        folder = url.path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: folder)
    }

    private func subject(classes: Int = 3) throws -> BenchmarkSubject {
        try BenchmarkSubject(
            random: DiTConfig(
                depth: 2, hiddenSize: 16, heads: 2, patchSize: 2, inputSize: 4, inChannels: 3, learnSigma: true,
                numClasses: classes), name: "tiny")
    }

    private func service() throws -> ForwardService {
        try ForwardService(subject: subject(), workers: Workers(count: 1))
    }

    /// The tensors that a request of `service` writes.
    private func outputs(_ service: ForwardService, _ fields: String) throws -> [String: [Float]] {
        defer { try? FileManager.default.removeItem(atPath: "\(folder)/out") }
        _ = try service.answer(line: "{\(fields), \"output\": \"\(folder)/out\"}", number: 1)
        let file = try SafetensorsFile(path: "\(folder)/out")
        return try Dictionary(
            uniqueKeysWithValues: file.entries.map { ($0.name, try file.tensor($0.name).elements) })
    }

    @Test func `a requested forward is that of a sampling run, bit for bit`() throws {
        let noise = Tensor([3, 4, 4])
        var random = TorchRandom(seed: 4)
        random.fill(noise.values)
        try Data(SafetensorsWriter.bytes([("latents", noise)])).write(to: URL(filePath: "\(folder)/in"))
        let subject = try subject()
        let workers = Workers(count: 1)
        let run = try SamplingRun(
            denoiser: NetworkDenoiser(
                network: subject.network, process: subject.process, condition: .label(2),
                workspace: subject.network.workspace(entries: 2, workers: workers)),
            sampler: makeSampler(
                SamplerOptions(defaultFor: subject.process), process: subject.process, steps: ForwardService.steps,
                shape: noise.shape),
            guidance: Guidance(scale: 4), initialNoise: noise, noise: TorchRandom(seed: 1))
        _ = try run.evaluate()

        let found = try outputs(service(), #""class": 2, "latents": "\#(folder)/in", "call": 0"#)
        #expect(Set(found.keys) == ["conditional", "unconditional"])
        for (name, output) in [("conditional", run.outputs.conditional), ("unconditional", run.outputs.unconditional)] {
            let variance = try #require(output.variance)
            #expect(found[name] == output.prediction.elements + variance.elements)
        }
    }

    @Test func `what a request leaves out stays as it was, but for the output`() throws {
        let service = try service()
        let first = try outputs(service, #""class": 1, "call": 33"#)
        let again = try service.answer(line: "{}", number: 2)
        #expect(again.seconds > 0 && !FileManager.default.fileExists(atPath: "\(folder)/out"))
        #expect(try outputs(service, #""branches": 2"#) == first)
        #expect(try outputs(service, #""call": 0"#) != first)
        #expect(try outputs(service, #""call": 33"#) == first)
        #expect(try outputs(service, #""class": 0"#)["conditional"] != first["conditional"])
    }

    @Test func `one branch alone is that of both`() throws {
        let service = try service()
        let both = try outputs(service, #""call": 7"#)
        let one = try outputs(service, #""branches": 1"#)
        #expect(one == ["conditional": try #require(both["conditional"])])
    }

    @Test func `an answer tells the call's timestep`() throws {
        let service = try service()
        let timesteps = try [0, 1, 49].map { try service.answer(line: "{\"call\": \($0)}", number: 1).timestep }
        #expect(timesteps[0] == 999 && timesteps[1] < 999 && timesteps[2] == 0)
    }

    @Test(arguments: [
        ("nonsense", "not a request"), ("{\"branches\": 1.5}", "not a request"), ("[]", "not a request"),
        ("{\"timestep\": 3}", "timestep"), ("{\"branches\": 3}", "branches 3"), ("{\"branches\": 0}", "branches 0"),
        ("{\"call\": 50}", "call 50"), ("{\"call\": -1}", "call -1"), ("{\"class\": 3}", "class 3"),
    ])
    func `a line that makes no sense is refused by its number`(line: String, text: String) throws {
        let service = try service()
        let before = try outputs(service, #""call": 2"#)
        let thrown = #expect(throws: PipelineError.self) { try service.answer(line: line, number: 12) }
        let told = try #require(thrown).description
        #expect(told.contains("line 12") && told.contains(text))
        #expect(try outputs(service, #""branches": 2"#) == before)
    }

    @Test func `latents of another shape are refused`() throws {
        try Data(SafetensorsWriter.bytes([("latents", Tensor([1, 4, 4]))])).write(to: URL(filePath: "\(folder)/in"))
        let service = try service()
        #expect(throws: PipelineError.self) { try service.answer(line: #"{"latents": "\#(folder)/in"}"#, number: 1) }
    }
}
