import Compute
import FoundationEssentials
import Media
import Models
import Pipeline
import Sampling

/// Answers requests for single forwards, so that they can be timed in turns with those of other programs.
///
/// A forward is the one of a sampling run: of the calls that the model's default sampler makes, through the denoiser
/// that serves it, with the modulation of a window of calls computed at its first.
public final class ForwardService {
    /// The steps of the run that the calls belong to.
    public static let steps = 50

    private let subject: BenchmarkSubject
    private let denoiser: (Condition) -> NetworkDenoiser
    private let calls: [ModelCall]
    private let outputs: BranchOutputs
    private var run: NetworkDenoiser
    private var latents: Tensor
    private var request = ForwardRequest.empty

    /// Allocates what forwards need; the latents are noise until a request brings others.
    ///
    /// - Throws: `SamplingError` when the model allows no run of ``steps`` steps.
    public init(subject: BenchmarkSubject, workers: Workers) throws {
        self.subject = subject
        let workspace = subject.network.workspace(entries: 2, workers: workers)
        denoiser = {
            NetworkDenoiser(
                network: subject.network, process: subject.process, condition: $0, workspace: workspace)
        }
        let shape = subject.latentShape
        calls = try makeSampler(
            SamplerOptions(defaultFor: subject.process), process: subject.process, steps: Self.steps, shape: shape
        ).calls
        outputs = BranchOutputs(
            branches: Self.branches(subject.branches), shape: shape, hasVariance: subject.network.hasVariance)
        latents = ArbitraryNumbers.tensor(shape, seed: 31)
        run = denoiser(subject.config.conditions.condition(at: 0))
        try begin()
    }

    /// Makes the forward of a line, the `number`th.
    ///
    /// - Returns: what it took.
    /// - Throws: ``PipelineError``, or what reading the latents or writing the outputs throws.
    public func answer(line: String, number: Int) throws -> ForwardAnswer {
        try adopt(ForwardRequest(line: line, number: number), number: number)
        let branches = Self.branches(request.branches ?? subject.branches)
        let call = calls[request.call ?? 0]
        let seconds = try Stopwatch.seconds {
            try run.evaluate(branches, at: call, latents: latents, into: outputs)
        }
        if let path = request.output { try write(branches, to: path) }
        return ForwardAnswer(seconds: seconds, timestep: call.timestep)
    }

    private static func branches(_ count: Int) -> GuidanceBranches {
        count == 2 ? [.conditional, .unconditional] : .conditional
    }

    private func begin() throws {
        // Any scale but 1 asks for both branches.
        let guidance = try Guidance(scale: subject.branches == 1 ? 1 : 2)
        try run.begin(calls: calls, guidance: guidance, shape: subject.latentShape)
    }

    /// Takes over what a request says.
    private func adopt(_ new: ForwardRequest, number: Int) throws {
        func refuse(_ what: String) -> PipelineError { .badData("standard input, line \(number): \(what)") }
        if let branches = new.branches, !(1...subject.branches).contains(branches) {
            throw refuse("branches \(branches): \(subject.name) has 1 to \(subject.branches)")
        }
        if let call = new.call, !calls.indices.contains(call) {
            throw refuse("call \(call): the run has 0 to \(calls.count - 1)")
        }
        if let label = new.label, !(0..<subject.config.conditions.classCount).contains(label) {
            throw refuse("class \(label): \(subject.name) has 0 to \(subject.config.conditions.classCount - 1)")
        }
        if let path = new.latents { latents = try LatentFile.readNoise(path: path, shape: subject.latentShape) }
        if let label = new.label, label != request.label {
            run = denoiser(.label(label))
            try begin()
        }
        request = request.followed(by: new)
    }

    /// Writes the evaluated branches' outputs, all channels of each, (Cout, H, W), under the branch's name.
    private func write(_ branches: GuidanceBranches, to path: String) throws {
        let parts = [("conditional", outputs.conditional), ("unconditional", outputs.unconditional)]
        let tensors = parts.prefix(branches.count).map { name, output in
            (name, Self.joined([output.prediction, output.variance].compactMap(\.self)))
        }
        try AtomicFile.write(SafetensorsWriter.bytes(tensors), to: path, onConflict: .replace)
    }

    /// The channels of several (C, H, W), one after the other.
    private static func joined(_ parts: [Tensor]) -> Tensor {
        let shape = parts[0].shape
        return Tensor(parts.flatMap(\.elements), shape: [parts.count * shape[0]] + shape.dropFirst())
    }
}

/// One forward that is asked for, as a line of JSON: `{"branches": 2, "call": 10}`. What a line leaves out stays as the
/// line before had it.
public struct ForwardRequest: Decodable, Equatable, Sendable {
    /// 2 for a guided forward, 1 for that of the conditional branch.
    public var branches: Int?
    /// The model call of a run of ``ForwardService/steps`` steps.
    public var call: Int?
    /// The class of the image.
    public var label: Int?
    /// A safetensors file with the latents.
    public var latents: String?
    /// The safetensors file that the outputs are written to, whatever is there; nil for none. Holds for this line alone.
    public var output: String?

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case branches
        case call
        case label = "class"
        case latents
        case output
    }

    /// Reads a line.
    ///
    /// - Parameters:
    ///   - line: a JSON object.
    ///   - number: the line's number, from 1.
    /// - Throws: ``PipelineError/badData(_:)`` for a line that is not a request, or says something that no request says.
    public init(line: String, number: Int) throws(PipelineError) {
        let keys = CodingKeys.allCases.map(\.rawValue)
        let data = Data(line.utf8)
        guard let names = try? JSONDecoder().decode([String: Anything].self, from: data).keys,
            let request = try? JSONDecoder().decode(Self.self, from: data)
        else {
            throw .badData("standard input, line \(number): not a request; write {\"branches\": 2, \"call\": 10}")
        }
        if let unknown = names.sorted().first(where: { !keys.contains($0) }) {
            throw .badData(
                "standard input, line \(number): no request has '\(unknown)'; write \(keys.joined(separator: ", "))")
        }
        self = request
    }

    /// A request that says nothing.
    static let empty = ForwardRequest()

    private init() {}

    /// What holds once `next` has been asked for after this one.
    func followed(by next: ForwardRequest) -> ForwardRequest {
        var request = next
        request.branches = next.branches ?? branches
        request.call = next.call ?? call
        request.label = next.label ?? label
        return request
    }

    /// A value of which only its key matters.
    private struct Anything: Decodable {
        init(from decoder: any Decoder) {}
    }
}

/// What a requested forward took.
public struct ForwardAnswer: Codable, Equatable, Sendable {
    /// The time of the forward, in seconds.
    ///
    /// It holds the modulation of a whole window of calls where the call's window is not the last request's.
    public let seconds: Double
    /// The timestep of the call.
    public let timestep: Double
}
