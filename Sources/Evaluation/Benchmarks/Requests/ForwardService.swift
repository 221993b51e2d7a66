import Compute
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
            NetworkDenoiser(network: subject.network, condition: $0, workspace: workspace)
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
        try run.begin(calls: calls, branches: Self.branches(subject.branches), shape: subject.latentShape)
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
