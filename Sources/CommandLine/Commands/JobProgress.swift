import Sampling
import Synchronization

/// How far the lanes of a job have come; tells of finished images in the order of the list, whoever is first.
final class JobProgress: Sendable {
    private struct State {
        var targets: [SampleTarget] = []
        /// What finished targets took, by their place; an inner nil for one that another process has made.
        var finished: [Int: (seconds: Double?, decoding: Double)] = [:]
        /// The first target that has not been told of.
        var untold = 0
        /// The share of its present target that each lane has done.
        var shares: [Double] = []
        /// Targets that are through.
        var through = 0
        /// The images whose files are there.
        var kept = 0
        var made = 0
        var spent = 0.0
        var saved = 0.0
        var failure: (any Error)?
    }

    private let request: SampleRequest
    private let state = Mutex(State())
    // Used under the lock alone.
    nonisolated(unsafe) private let log: Log

    init(request: SampleRequest, log: Log) {
        self.request = request
        self.log = log
    }

    /// Tells of a target that was there before the job began.
    func tellDone(_ target: SampleTarget) throws {
        try state.withLock { state in
            state.kept += target.record.items.count
            try tell(target, seconds: nil, decoding: 0)
        }
    }

    /// Begins to follow these targets.
    func begin(_ targets: [SampleTarget], lanes: Int) {
        state.withLock { state in
            state.targets = targets
            state.shares = Array(repeating: 0, count: lanes)
        }
    }

    /// Whether a lane has failed, so that the others stop, too.
    var hasFailed: Bool { state.withLock { $0.failure != nil } }

    /// The mean time of the images that were made; nil if none was.
    var secondsAnImage: Double? {
        state.withLock { $0.made > 0 ? $0.spent / Double($0.made) : nil }
    }

    /// The mean time that reuse has saved on the images that were made, in seconds.
    var savedAnImage: Double {
        state.withLock { $0.made > 0 ? $0.saved / Double($0.made) : 0 }
    }

    /// Takes note of a step.
    ///
    /// - Throws: `Interrupted` when a signal has come, `CancellationError` when another lane has failed.
    func step(_ step: SamplingRun.Step, image: Int, share: Double, lane: Int) throws {
        try state.withLock { state in
            if state.failure != nil { throw CancellationError() }
            if Interruption.isPending { throw Interrupted(done: state.kept, total: request.imageCount) }
            state.shares[lane] = share
            let event = Log.Event(
                event: "step", image: image, images: request.imageCount, step: step.index, steps: step.count,
                timestep: step.timestep)
            log.step(
                event, share: (Double(state.through) + state.shares.reduce(0, +)) / Double(state.targets.count))
        }
    }

    /// Takes note of a finished target.
    ///
    /// - Parameters:
    ///   - place: its place among those that are followed.
    ///   - seconds: what it took; nil if another process has made it.
    ///   - decoding: what decoding took of that.
    ///   - saved: what it would have taken longer without reuse.
    ///   - lane: who made it.
    /// - Throws: `Terminal.StreamFailure` when standard output does not take the result.
    func finish(
        _ place: Int, seconds: Double?, decoding: Double, saved: Double, lane: Int
    ) throws {
        try state.withLock { state in
            let images = state.targets[place].record.items.count
            state.finished[place] = (seconds, decoding)
            state.shares[lane] = 0
            state.through += 1
            state.kept += images
            if let seconds {
                state.made += images
                state.spent += seconds
                state.saved += saved
            }
            while let next = state.finished.removeValue(forKey: state.untold) {
                let target = state.targets[state.untold]
                state.untold += 1
                try tell(target, seconds: next.seconds, decoding: next.decoding)
            }
        }
    }

    /// Takes note of a lane's failure.
    func fail(_ error: any Error) {
        state.withLock { state in
            if state.failure == nil { state.failure = error }
        }
    }

    /// Ends the job: tells of what is finished behind a gap, if one was left.
    ///
    /// - Throws: why a lane has failed.
    func end() throws {
        try state.withLock { state in
            for (place, one) in state.finished.sorted(by: { $0.key < $1.key }) {
                try tell(state.targets[place], seconds: one.seconds, decoding: one.decoding)
            }
            state.finished = [:]
            // Lanes may have finished images after the one that saw the signal.
            if state.failure is Interrupted { throw Interrupted(done: state.kept, total: request.imageCount) }
            if let failure = state.failure { throw failure }
        }
    }

    /// Tells of a target that is done, and of the time it took: nil if it was there already.
    private func tell(_ target: SampleTarget, seconds: Double?, decoding: Double) throws {
        let item = target.record.items[0]
        let count = target.record.items.count
        let variant = request.variants[target.variant]
        try log.result(
            Log.Event(
                event: "image", file: target.path, class: request.directory.classes.name(of: item.condition),
                seed: item.seed, skipped: seconds == nil ? true : nil,
                evaluations: seconds == nil ? 0 : variant.evaluations * count,
                evaluationsFull: variant.evaluationsFull * count, seconds: seconds,
                decodeSeconds: seconds == nil || decoding == 0 ? nil : decoding))
    }
}
