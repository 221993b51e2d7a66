import Compute
import Dispatch
import Evaluation
import Media
import Models
import Pipeline
import Sampling
import Synchronization

/// Carries a request out: several images in flight, told of in the order of the list.
final class SampleJob: Sendable {
    private let request: SampleRequest
    private let directory: ModelDirectory
    private let progress: JobProgress
    private let inFlight: Int?
    // Used before and after the lanes run, never by them.
    nonisolated(unsafe) private let session: ModelSession
    nonisolated(unsafe) private let log: Log

    init(request: SampleRequest, session: ModelSession, inFlight: Int?, log: Log) {
        self.request = request
        self.session = session
        self.inFlight = inFlight
        self.log = log
        directory = request.directory
        progress = JobProgress(request: request, log: log)
    }

    /// Makes the files that are not there yet.
    ///
    /// Everything that can be known to fail is found out before the first step.
    func run() throws {
        try request.books?.check()
        let tasks = try request.targets.map { target in
            SampleTask(
                target: target, picture: try standing(of: target), latents: try target.latentsStanding())
        }
        try removeOrphans()
        let open = tasks.filter { !$0.isDone }
        try request.books?.open(done: tasks.filter(\.isDone).compactMap { line(of: $0.target) })
        for task in tasks where task.isDone { try progress.tellDone(task.target) }
        guard !open.isEmpty else { return }
        if let seed = request.drawnSeed { log.message("seed \(seed)") }
        let lanes = try lanes(for: open)
        try carryOut(open, in: lanes)
        try request.books?.close(done: tasks.compactMap { line(of: $0.target) })
        tellCost()
    }

    private func standing(of target: SampleTarget) throws(PipelineError) -> Standing {
        try target.pictureStanding(target.record.columns == nil ? request.hashers[target.variant] : nil)
    }

    /// Removes what killed runs have left beside the files of this one.
    private func removeOrphans() throws {
        var names: [String: Set<String>] = [:]
        for path in request.targets.compactMap(\.path) {
            let slash = path.lastIndex(of: "/")
            let folder = slash.map { String(path[...$0]) } ?? ""
            names[folder, default: []].insert(slash.map { String(path[path.index(after: $0)...]) } ?? path)
        }
        for (folder, names) in names {
            Temporaries.removeOrphans(in: folder, of: names.union(request.books?.names ?? []))
        }
    }

    /// The manifest's line of a target, but for what is known when it is there; nil where no books are kept.
    private func line(of target: SampleTarget) -> ManifestLine? {
        request.books?.line(
            of: target, evaluations: request.variants[target.variant].evaluations, classes: directory.classes)
    }

    private func lanes(for tasks: [SampleTask]) throws -> Lanes {
        let decoding = request.decoder?.scratchBytes(directory.latentShape) ?? 0
        func lanes(asked: Int?) -> Lanes {
            Lanes(
                asked: asked, threads: session.workers.count, images: tasks.count,
                bytes: (Lanes.runBytes(of: directory.config), decoding),
                free: SystemMemory.now.free)
        }
        let wanted = lanes(asked: inFlight.map { min($0, tasks.count) }).workers.count
        return lanes(asked: try session.makeRoom(lanes: wanted, bytes: decoding))
    }

    private func carryOut(_ tasks: [SampleTask], in lanes: Lanes) throws {
        let network = try session.network()
        let decoder = try request.decoder.map { try session.load($0, workers: lanes.workers[lanes.workers.count - 1]) }
        let previewer = try request.preview.map { try session.load($0.decoder, workers: lanes.workers[0]) }
        let decoders = DispatchSemaphore(value: lanes.decoders)
        progress.begin(tasks.map(\.target), lanes: lanes.workers.count)
        let next = Atomic<Int>(0)
        lanes.run { [request, progress] index in
            do {
                let lane = SampleLane(
                    index: index, request: request, network: network, workers: lanes.workers[index], decoder: decoder,
                    previewer: previewer, decoders: decoders, progress: progress)
                while true {
                    let place = next.add(1, ordering: .relaxed).oldValue
                    guard place < tasks.count, !progress.hasFailed else { return }
                    let task = tasks[place]
                    let clock = ContinuousClock()
                    let start = clock.now
                    var made = false
                    // Another process may have been given the same shard, and be ahead.
                    if try self.standing(of: task.target) == .free || task.latents == .free {
                        made = try WeightFiles.blamed {
                            try lane.make(task) { bytes in
                                guard let line = self.line(of: task.target) else { return }
                                try request.books?.enter(line.of(bytes, seconds: (clock.now - start) / .seconds(1)))
                            }
                        }
                    }
                    let seconds = (clock.now - start) / .seconds(1)
                    try progress.finish(
                        place, seconds: made ? seconds : nil, decoding: lane.decoding, saved: lane.saved, lane: index)
                }
            } catch {
                progress.fail(error)
            }
        }
        try progress.end()
    }

    /// Says what the images took, beside what full runs would have taken at what these evaluations took.
    private func tellCost() {
        guard let seconds = progress.secondsAnImage, request.variants.count == 1, let reuse = request.first.reuse else {
            return
        }
        let speedUp = SpeedUp.possible(
            (seconds + progress.savedAnImage) / seconds, from: Double(request.first.evaluationsFull),
            to: Double(request.first.evaluations))
        log.message(
            "\(reuse.summary), \(Self.rounded(seconds)) s an image; by the time of its evaluations a full run would take "
                + "\(Self.rounded(seconds * speedUp)) s: \(Self.rounded(speedUp)) times as fast")
    }

    /// A number with at most three digits after the point.
    private static func rounded(_ number: Double) -> String { "\((number * 1000).rounded() / 1000)" }
}
