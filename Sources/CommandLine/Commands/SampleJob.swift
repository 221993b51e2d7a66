import Evaluation
import Pipeline
import Sampling
import Synchronization

/// Carries a request out and reports to the log; stops at signals.
final class SampleJob: Sendable {
    private let batch: Batch
    private let drawnSeed: UInt32?
    /// The request that is answered; nil for a command of its own.
    private let request: Int?
    /// The images whose files are there.
    private let kept = Atomic<Int>(0)
    private let run: BatchRun
    // The run reports one event at a time.
    nonisolated(unsafe) private let log: Log

    /// - Parameters:
    ///   - request: what to sample.
    ///   - session: the model.
    ///   - inFlight: how many images are made at a time; nil for as many as is fastest.
    ///   - number: the request on standard input that is answered; nil for a command of its own.
    ///   - log: where progress and results go.
    init(request: SampleRequest, session: ModelSession, inFlight: Int?, request number: Int? = nil, log: Log) {
        self.request = number
        batch = request.batch
        drawnSeed = request.drawnSeed
        run = BatchRun(request.batch, session: session, inFlight: inFlight)
        self.log = log
    }

    /// Makes the files that are not there yet.
    func carryOut() throws {
        do {
            tell(try run.run { try self.tell($0) })
        } catch is Interrupted {
            // Images may have been finished after the one that saw the signal.
            throw Interrupted(done: kept.load(ordering: .relaxed), total: batch.imageCount)
        }
    }

    private func tell(_ event: BatchRun.Event) throws {
        switch event {
        case .start:
            if let drawnSeed { log.message("seed \(drawnSeed)") }
        case .step(let step, let image, let share):
            if Interruption.isPending { throw Interrupted(done: 0, total: batch.imageCount) }
            log.step(
                Log.Event(
                    event: "step", image: image, images: batch.imageCount, step: step.index, steps: step.count,
                    timestep: step.timestep), share: share)
        case .done(let target, let timing):
            let count = target.record.items.count
            kept.add(count, ordering: .relaxed)
            let variant = batch.variants[target.variant]
            let item = target.record.items[0]
            let name = batch.directory.classes.name(of: item.condition)
            let event = Log.Event(
                event: "image", request: request, file: target.path,
                files: target.paths.count > 1 ? target.paths : nil, class: item.classID == nil ? nil : name,
                prompt: item.classID == nil ? name : nil, seed: item.seed, skipped: timing == nil ? true : nil,
                evaluations: timing == nil ? 0 : (target.record.reuse?.evaluations ?? variant.evaluations) * count,
                evaluationsFull: variant.evaluationsFull * count, seconds: timing?.seconds,
                decodeSeconds: timing.flatMap { $0.decoding == 0 ? nil : $0.decoding })
            try request == nil ? log.result(event) : log.answer(event)
        }
    }

    /// Says what the images took, beside what full runs would have taken at the same seconds an evaluation.
    private func tell(_ cost: BatchRun.Cost) {
        let variant = batch.variants[0]
        guard cost.images > 0, batch.variants.count == 1, let reuse = variant.reuse else { return }
        let seconds = cost.seconds / Double(cost.images)
        let evaluations = Double(cost.evaluations) / Double(cost.images)
        let speedUp = SpeedUp.possible(
            (seconds + cost.secondsSaved / Double(cost.images)) / seconds, from: Double(variant.evaluationsFull),
            to: evaluations)
        let mean = reuse.hard == nil ? "" : ", \(Self.rounded(evaluations)) evaluations on average"
        log.message(
            "\(reuse.summary)\(mean), \(Self.rounded(seconds)) s an image; by the time of its evaluations a full run would take "
                + "\(Self.rounded(seconds * speedUp)) s: \(Self.rounded(speedUp)) times as fast")
    }

    /// A number with at most three digits after the point.
    private static func rounded(_ number: Double) -> String { "\((number * 1000).rounded() / 1000)" }
}
