import Imaging
import Pipeline
import Sampling
import Tensor

/// Carries a request out, file by file.
struct SampleJob {
    /// The gap between the pictures of a grid, in pixels.
    private static let gridPadding = 2

    private let request: SampleRequest
    private let workers: Workers
    private let log: Log
    private var done = 0
    private let started = ContinuousClock.now

    init(request: SampleRequest, workers: Workers, log: Log) {
        self.request = request
        self.workers = workers
        self.log = log
    }

    /// Makes the files that are not there yet.
    ///
    /// Everything that can be known to fail is found out before the first step.
    mutating func run() throws {
        let standings = try request.files.map { try $0.file?.standing(for: $0.record) ?? .free }
        for (entry, standing) in zip(request.files, standings) where standing == .done {
            done += entry.record.items.count
            tell(entry, skipped: true)
        }
        guard standings.contains(.free) else { return }
        let network = try request.directory.load(progress: log.loading)
        let sampler = try ImageSampler(
            directory: request.directory, network: network, settings: request.settings, workers: workers)
        for (entry, standing) in zip(request.files, standings) where standing == .free {
            try make(entry, with: sampler)
            tell(entry, skipped: false)
        }
    }

    private mutating func make(
        _ entry: (file: ImageFile?, record: ImageRecord), with sampler: ImageSampler
    ) throws {
        var images: [Image] = []
        for item in entry.record.items {
            let latents = try sample(item, with: sampler)
            if let path = request.latentsPath {
                try LatentFile.write(latents, to: path, replaces: entry.file?.replaces ?? false)
            }
            images.append(try sampler.image(of: latents))
            done += 1
        }
        let picture =
            try entry.record.columns.map {
                try ImageGrid.arrange(images, columns: $0, padding: Self.gridPadding)
            } ?? images[0]
        try write(picture, entry)
    }

    private func write(_ picture: Image, _ entry: (file: ImageFile?, record: ImageRecord)) throws {
        let classes = request.directory.classes
        if let file = entry.file {
            try file.write(picture, record: entry.record, classNames: classes)
            return
        }
        let bytes = try request.format.encode(picture, record: entry.record, classNames: classes)
        do {
            try Terminal.standardOutput.writeAll(bytes)
        } catch let failure as Terminal.StreamFailure {
            throw PipelineError.inputOutput("standard output: \(failure.reason)")
        }
    }

    /// Runs one image's steps; stops between two of them when a signal has come.
    private mutating func sample(_ item: SampleItem, with sampler: ImageSampler) throws -> Tensor {
        var run = try sampler.start(item, initialNoise: request.initialNoise)
        let total = request.work.items.count
        while let step = try run.next() {
            if Interruption.isPending { throw Interrupted(done: done, total: total) }
            let event = Log.Event(
                event: "step", image: done, images: total, step: step.index, steps: step.count,
                timestep: step.timestep)
            log.step(event, share: (Double(done) + Double(step.index + 1) / Double(step.count)) / Double(total))
        }
        return run.latents
    }

    private func tell(_ entry: (file: ImageFile?, record: ImageRecord), skipped: Bool) {
        let item = entry.record.items[0]
        log.result(
            Log.Event(
                event: "image", file: entry.file?.path, class: request.directory.classes.names[item.classID],
                seed: item.seed, skipped: skipped ? true : nil,
                evaluations: skipped ? 0 : request.evaluations * entry.record.items.count,
                evaluationsFull: request.evaluations * entry.record.items.count))
    }
}
