import Sampling
import Synchronization

/// How far a run has come; reports finished images in the order of the list, whichever is done first.
final class BatchProgress: Sendable {
    private struct State {
        var targets: [SampleTarget] = []
        /// What finished targets took, by their place; an inner nil for one that another process has made.
        var finished: [Int: BatchRun.Timing?] = [:]
        /// The first target that has not been reported.
        var unreported = 0
        /// The share of its present target that each image in flight has done.
        var shares: [Double] = []
        /// How many targets are finished.
        var completed = 0
        var cost = BatchRun.Cost(images: 0, seconds: 0, secondsSaved: 0)
        var failure: (any Error)?
    }

    private let state = Mutex(State())
    private let report: @Sendable (BatchRun.Event) throws -> Void

    /// - Parameter report: called under a lock, so never twice at a time.
    init(report: @escaping @Sendable (BatchRun.Event) throws -> Void) {
        self.report = report
    }

    /// Reports targets that were there before the run began.
    func skip(_ targets: some Sequence<SampleTarget>) throws {
        try state.withLock { _ in
            for target in targets { try report(.done(target, nil)) }
        }
    }

    /// Begins to follow these targets, so many at a time.
    func begin(_ targets: [SampleTarget], concurrency: Int) throws {
        try state.withLock { state in
            state.targets = targets
            state.shares = Array(repeating: 0, count: concurrency)
            try report(.start(images: targets.reduce(0) { $0 + $1.record.items.count }))
        }
    }

    /// Whether an image has failed, so that the others stop, too.
    var hasFailed: Bool { state.withLock { $0.failure != nil } }

    /// What the images took that this run has made.
    var cost: BatchRun.Cost { state.withLock(\.cost) }

    /// Records a step of an image.
    ///
    /// - Parameters:
    ///   - step: the step.
    ///   - image: the image's place in the list.
    ///   - share: how much of the target is done.
    ///   - slot: which of the images in flight it is.
    /// - Throws: what the report throws; `CancellationError` when another image has failed.
    func step(_ step: SamplingRun.Step, image: Int, share: Double, slot: Int) throws {
        try state.withLock { state in
            if state.failure != nil { throw CancellationError() }
            state.shares[slot] = share
            let done = Double(state.completed) + state.shares.reduce(0, +)
            try report(.step(step, image: image, share: done / Double(state.targets.count)))
        }
    }

    /// Records a finished target.
    ///
    /// - Parameters:
    ///   - place: its place among those that are followed.
    ///   - target: the target, with the plan that its image has chosen.
    ///   - timing: what it took; nil if another process has made it.
    ///   - slot: which of the images in flight it was.
    /// - Throws: what the report throws.
    func finish(_ place: Int, _ target: SampleTarget, _ timing: BatchRun.Timing?, slot: Int) throws {
        try state.withLock { state in
            state.targets[place] = target
            state.finished[place] = .some(timing)
            state.shares[slot] = 0
            state.completed += 1
            if let timing {
                let count = target.record.items.count
                state.cost.images += count
                state.cost.evaluations += count * (target.record.reuse?.evaluations ?? 0)
                state.cost.seconds += timing.seconds
                state.cost.secondsSaved += timing.saved
            }
            while let timing = state.finished.removeValue(forKey: state.unreported) {
                state.unreported += 1
                try report(.done(state.targets[state.unreported - 1], timing))
            }
        }
    }

    /// Records a failure; the first one counts.
    func fail(_ error: any Error) {
        state.withLock { state in
            if state.failure == nil { state.failure = error }
        }
    }

    /// Reports the targets that were finished after one that was not.
    ///
    /// - Returns: all targets, with the plans that their images have chosen.
    /// - Throws: why an image has failed.
    func end() throws -> [SampleTarget] {
        try state.withLock { state in
            for (place, timing) in state.finished.sorted(by: { $0.key < $1.key }) {
                try report(.done(state.targets[place], timing))
            }
            state.finished = [:]
            if let failure = state.failure { throw failure }
            return state.targets
        }
    }
}
