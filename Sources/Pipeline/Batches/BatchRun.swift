import Compute
import Dispatch
import Media
import Models
import Sampling
import Synchronization

/// Samples a ``Batch``, several images at a time; images whose files are there are skipped.
///
/// ```swift
/// let model = try ModelDirectory(path: "Models/emoji-dit-s8")
/// let settings = model.defaultSettings
/// let images = try WorkList(seed: 1, count: 8, conditions: nil, of: model.conditions)
/// let batch = try Batch(
///     directory: model, items: images.items,
///     variants: [SampleVariant(settings: settings, schedule: settings.schedule(for: model))],
///     decoder: model.decoder(.own), output: Batch.Output(pattern: OutputPattern("out/{index}.png")))
/// try BatchRun(batch, session: ModelSession(directory: model)).run()
/// ```
///
/// A run that was stopped is continued by another run of the same batch. Processes may share a batch by its shards.
public final class BatchRun: Sendable {
    /// What a run reports.
    public enum Event {
        /// So many images are missing and will now be made.
        case start(images: Int)
        /// The image at this place of the list has done a step; `share` is how much of all missing images is done.
        case step(SamplingRun.Step, image: Int, share: Double)
        /// A target's files are there, with what they took; nil if they were there or another process has made them.
        case done(SampleTarget, Timing?)
    }

    /// The seconds that a target took.
    public struct Timing: Sendable {
        /// All of them.
        public let seconds: Double
        /// Those of decoding.
        public let decoding: Double
        /// Those that it would have taken longer without reuse.
        public let saved: Double
    }

    /// What a run took.
    public struct Cost: Sendable {
        /// The images that it has made.
        public internal(set) var images: Int
        /// The seconds of all images together.
        public internal(set) var seconds: Double
        /// The seconds that reuse has saved on them.
        public internal(set) var secondsSaved: Double
        /// The evaluations of those that reuse something.
        public internal(set) var evaluations = 0
    }

    /// A target, and which of its files are there.
    private struct Task {
        let target: SampleTarget
        let picture: Standing
        let latents: Standing

        var isDone: Bool { picture == .done && latents == .done }
    }

    private let batch: Batch
    private let inFlight: Int?
    // Used before the images are made, never by their threads.
    nonisolated(unsafe) private let session: ModelSession

    /// Prepares to sample.
    ///
    /// - Parameters:
    ///   - batch: what to sample.
    ///   - session: the batch's model.
    ///   - inFlight: how many images are made at a time; nil for as many as is fastest and fits the memory.
    public init(_ batch: Batch, session: ModelSession, inFlight: Int? = nil) {
        self.batch = batch
        self.session = session
        self.inFlight = inFlight
    }

    /// Makes the files that are missing. Everything that can be known to fail is found out before the first step.
    ///
    /// - Parameter report: called on the threads of the images, never twice at a time; images are reported in the order
    ///   of the list. What it throws stops the run.
    /// - Returns: what the images took.
    /// - Throws: ``PipelineError`` when another file or batch is in the way, what loading, sampling or writing throws, and
    ///   what `report` throws.
    @discardableResult
    public func run(_ report: @escaping @Sendable (Event) throws -> Void = { _ in }) throws -> Cost {
        let (manifest, output) = (batch.manifest, batch.output)
        if !output.replaces { try manifest?.run.check(in: output.pattern.folder) }
        let tasks = try batch.targets.map(task)
        removeOrphans()
        let open = tasks.filter { !$0.isDone }
        let done = tasks.lazy.filter(\.isDone).map(\.target)
        try manifest?.run.keep(in: output.pattern.folder, replaces: output.replaces)
        try manifest?.lines.settle(done.map(line))
        let progress = BatchProgress(report: report)
        try progress.skip(done)
        guard !open.isEmpty else { return progress.cost }
        let concurrency = try concurrency(of: open.count)
        try progress.begin(open.map(\.target), concurrency: concurrency.workers.count)
        let made = try make(open, with: concurrency, progress)
        var targets = made.makeIterator()
        try manifest?.lines.settle(tasks.map { line(of: $0.isDone ? $0.target : targets.next() ?? $0.target) })
        return progress.cost
    }

    /// What there is of a target. An image that chooses its plan is looked for with either.
    private func task(of target: SampleTarget) throws(PipelineError) -> Task {
        func task(_ target: SampleTarget) throws(PipelineError) -> Task {
            Task(target: target, picture: try standing(of: target), latents: try target.latentsStanding())
        }
        guard target.isUndecided else { return try task(target) }
        if let hard = try? task(target.decided(isHard: true)), hard.isDone { return hard }
        let light = try task(target.decided(isHard: false))
        return light.isDone ? light : Task(target: target, picture: light.picture, latents: light.latents)
    }

    private func standing(of target: SampleTarget) throws(PipelineError) -> Standing {
        try target.pictureStanding(
            target.record.columns == nil && target.record.reuse?.rule == nil ? batch.hashers[target.variant] : nil)
    }

    /// Removes what killed runs have left beside the files of this one.
    private func removeOrphans() {
        var names: [String: Set<String>] = [:]
        for path in batch.targets.lazy.flatMap(\.paths) {
            let slash = path.lastIndex(of: "/")
            let folder = slash.map { String(path[...$0]) } ?? ""
            names[folder, default: []].insert(slash.map { String(path[path.index(after: $0)...]) } ?? path)
        }
        let manifests = batch.manifest.map { [RunFile.name, $0.lines.name] } ?? []
        for (folder, names) in names {
            Temporaries.removeOrphans(in: folder, of: names.union(manifests))
        }
    }

    /// The manifest's line of a target, without what is known only once the file is written.
    private func line(of target: SampleTarget) -> ManifestLine {
        let item = target.record.items[0]
        return ManifestLine(
            index: target.index, file: batch.output.pattern.nameInFolder(target.path ?? ""),
            class: batch.directory.classes.name(of: item.condition), item: item,
            evaluations: target.record.reuse?.evaluations ?? batch.variants[target.variant].evaluations)
    }

    /// How many of so many targets are made at a time.
    private func concurrency(of count: Int) throws -> Concurrency {
        let decoding = batch.decoder?.scratchBytes(batch.directory.latentShape) ?? 0
        func concurrency(asked: Int?) -> Concurrency {
            Concurrency(
                asked: asked, threads: session.workers.count, images: count,
                bytes: (batch.directory.config.guidedRunBytes, decoding), free: SystemMemory.now.free)
        }
        let wanted = concurrency(asked: inFlight.map { min($0, count) }).workers.count
        return concurrency(asked: try session.makeRoom(images: wanted, bytes: decoding))
    }

    /// Makes what is missing.
    ///
    /// - Returns: the targets, with the plans that their images have chosen.
    private func make(
        _ tasks: [Task], with concurrency: Concurrency, _ progress: BatchProgress
    ) throws -> [SampleTarget] {
        let workers = concurrency.workers
        let network = try session.network()
        let decoder = try batch.decoder.map { try session.load($0, workers: workers[workers.count - 1]) }
        let previewer = try batch.preview.map { try session.load($0.decoder, workers: workers[0]) }
        let decoders = DispatchSemaphore(value: concurrency.decoders)
        let next = Atomic<Int>(0)
        concurrency.run { [batch] slot in
            do {
                let sampler = TargetSampler(
                    slot: slot, batch: batch, network: network, workers: workers[slot], decoder: decoder,
                    previewer: previewer, decoders: decoders, progress: progress)
                while true {
                    let place = next.add(1, ordering: .relaxed).oldValue
                    guard place < tasks.count, !progress.hasFailed else { return }
                    let (target, timing) = try WeightFiles.blamed { try self.make(tasks[place], with: sampler) }
                    try progress.finish(place, target, timing, slot: slot)
                }
            } catch {
                progress.fail(error)
            }
        }
        return try progress.end()
    }

    /// Makes a target's files and adds them to the manifest.
    ///
    /// - Returns: the target with the plan that its image has chosen, and what it took; nil if another process, which may have
    ///   been given the same shard, was first.
    private func make(_ task: Task, with sampler: TargetSampler) throws -> (SampleTarget, Timing?) {
        let clock = ContinuousClock()
        let start = clock.now
        var seconds: Double { (clock.now - start) / .seconds(1) }
        let present = try self.task(of: task.target)
        guard present.picture == .free || task.latents == .free else { return (present.target, nil) }
        let (target, isMade) = try sampler.make(
            task.target, picture: task.picture == .free, latents: task.latents == .free
        ) { target, bytes in
            try batch.manifest?.lines.append(line(of: target).of(bytes, seconds: seconds))
        }
        return (
            target, isMade ? Timing(seconds: seconds, decoding: sampler.decoding, saved: sampler.saved) : nil
        )
    }
}
