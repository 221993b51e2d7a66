import Imaging
import Pipeline
import Sampling
import Tensor

/// Carries a request out, target by target.
struct SampleJob {
    private let request: SampleRequest
    private let session: ModelSession
    private let log: Log
    /// The images whose steps are through.
    private var sampled = 0
    /// The images that were made, and the seconds that they took.
    private var made = 0
    private var spent = 0.0
    /// The images whose files are there.
    private var kept = 0
    /// What decoding the last target's pictures took, in seconds.
    private var decoding = 0.0

    init(request: SampleRequest, session: ModelSession, log: Log) {
        self.request = request
        self.session = session
        self.log = log
    }

    /// A target with what is there of it already.
    private struct Task {
        let target: SampleTarget
        let picture: Standing
        let latents: Standing

        var isDone: Bool { picture == .done && latents == .done }
    }

    /// Makes the files that are not there yet.
    ///
    /// Everything that can be known to fail is found out before the first step.
    mutating func run() throws {
        let tasks = try request.targets.map {
            Task(target: $0, picture: try $0.pictureStanding(), latents: try $0.latentsStanding())
        }
        for task in tasks where task.isDone {
            sampled += task.target.record.items.count
            try tell(task.target, seconds: nil)
        }
        guard tasks.contains(where: { !$0.isDone }) else { return }
        if request.seedWasDrawn { log.message("seed \(request.work.items[0].seed)") }
        let sampler = try ImageSampler(
            directory: request.directory, network: session.network(), settings: request.settings,
            workers: session.workers)
        let decoder = try request.decoder.map(session.load)
        let previewer = try request.preview.map { try session.load($0.decoder) }
        let clock = ContinuousClock()
        for task in tasks where !task.isDone {
            let start = clock.now
            try make(task, with: sampler, decoder: decoder, previewer: previewer)
            let seconds = (clock.now - start) / .seconds(1)
            spent += seconds
            try tell(task.target, seconds: seconds)
        }
        tellCost()
    }

    /// Says what the images took, beside what a full run took when it was last made here.
    private func tellCost() {
        let seconds = spent / Double(max(made, 1))
        let fullRun = FullRunTime(
            model: request.directory.reference(), settings: request.settings, threads: session.workers.count)
        guard let reuse = request.reuse else { return fullRun.remember(seconds) }
        var text = "\(reuse.summary), \(Self.rounded(seconds)) s an image"
        if let full = fullRun.seconds {
            text += ", a full run \(Self.rounded(full)) s: \(Self.rounded(full / seconds)) times as fast"
        }
        log.message(text)
    }

    /// A number with at most three digits after the point.
    private static func rounded(_ number: Double) -> String { "\((number * 1000).rounded() / 1000)" }

    private mutating func make(
        _ task: Task, with sampler: ImageSampler, decoder: (any LatentDecoder)?, previewer: (any LatentDecoder)?
    ) throws {
        let target = task.target
        let preview = preview(of: target, decoder: previewer)
        defer { preview?.remove() }
        var images: [Image] = []
        decoding = 0
        for item in target.record.items {
            let latents = try sample(item, with: sampler, preview: preview)
            try sampler.check(latents)
            if task.picture == .free, let decoder {
                let duration = try ContinuousClock().measure { images.append(try decoder.decode(latents)) }
                decoding += duration / .seconds(1)
            }
            if task.latents == .free { try target.latents?.write(latents, record: target.record) }
            sampled += 1
            made += 1
        }
        guard task.picture == .free else { return }
        let picture =
            try target.record.columns.map {
                try ImageGrid.arrange(images, columns: $0, padding: SampleRequest.gridPadding)
            } ?? images[0]
        let classes = request.directory.classes
        switch target.picture {
        case .file(let file):
            try file.write(picture, record: target.record, classNames: classes)
        case .standardOutput:
            try Terminal.standardOutput.writeAll(
                request.format.encode(picture, record: target.record, classNames: classes))
        case .none:
            break
        }
    }

    private func preview(of target: SampleTarget, decoder: (any LatentDecoder)?) -> Preview? {
        guard let decoder, let interval = request.preview?.interval, let path = target.path else { return nil }
        return Preview(
            every: interval, of: path, decoder: decoder, predictionType: request.directory.process.predictionType,
            shape: request.directory.latentShape)
    }

    /// Runs one image's steps; stops between two of them when a signal has come.
    private mutating func sample(_ item: SampleItem, with sampler: ImageSampler, preview: Preview?) throws -> Tensor {
        var run = try sampler.start(item, initialNoise: request.initialNoise, wrap: request.wrap)
        let total = request.work.items.count
        while let step = try preview?.next(of: &run) ?? run.next() {
            if Interruption.isPending { throw Interrupted(done: kept, total: total) }
            let event = Log.Event(
                event: "step", image: sampled, images: total, step: step.index, steps: step.count,
                timestep: step.timestep)
            log.step(event, share: (Double(sampled) + Double(step.index + 1) / Double(step.count)) / Double(total))
        }
        return run.latents
    }

    /// Tells of a target that is done, and of the time it took: nil if it was there already.
    private mutating func tell(_ target: SampleTarget, seconds: Double?) throws {
        kept += target.record.items.count
        let item = target.record.items[0]
        let count = target.record.items.count
        try log.result(
            Log.Event(
                event: "image", file: target.path, class: request.directory.classes.names[item.classID],
                seed: item.seed, skipped: seconds == nil ? true : nil,
                evaluations: seconds == nil ? 0 : request.evaluations * count,
                evaluationsFull: request.evaluationsFull * count, seconds: seconds,
                decodeSeconds: seconds == nil || decoding == 0 ? nil : decoding))
    }
}
