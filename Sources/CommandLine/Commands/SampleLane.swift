import Compute
import Dispatch
import Media
import Models
import Pipeline
import Sampling

/// Makes one image after the other, on its own threads and with its own scratch memory.
final class SampleLane {
    /// What decoding the last target's pictures took, in seconds.
    private(set) var decoding = 0.0
    /// What reuse has saved on the last target, in seconds.
    private(set) var saved = 0.0

    private let index: Int
    private let request: SampleRequest
    private let network: any DenoisingNetwork
    private let workers: Workers
    private let decoder: (any LatentDecoder)?
    private let previewer: (any LatentDecoder)?
    private let decoders: DispatchSemaphore
    private let progress: JobProgress
    /// The sampler of the last variant.
    private var sampler: (variant: Int, sampler: ImageSampler)?

    init(
        index: Int, request: SampleRequest, network: any DenoisingNetwork, workers: Workers,
        decoder: (any LatentDecoder)?,
        previewer: (any LatentDecoder)?, decoders: DispatchSemaphore, progress: JobProgress
    ) {
        self.index = index
        self.request = request
        self.network = network
        self.workers = workers
        self.decoder = decoder
        self.previewer = previewer
        self.decoders = decoders
        self.progress = progress
    }

    /// Makes a target's files.
    ///
    /// - Parameters:
    ///   - task: the target, and what is there of it.
    ///   - onWritten: given the bytes of a picture's file once it is there.
    /// - Returns: whether the files are this lane's work: another process may have made the same picture meanwhile.
    /// - Throws: what sampling, decoding or writing throws; `Interrupted` when a signal has come.
    func make(_ task: SampleTask, onWritten: ([UInt8]) throws -> Void) throws -> Bool {
        let target = task.target
        let preview = preview(of: target)
        defer { preview?.remove() }
        var frames: [[Image]] = []
        decoding = 0
        saved = 0
        let sampler = try sampler(for: target.variant)
        for (number, item) in target.record.items.enumerated() {
            let latents = try sample(item, number: number, of: target, with: sampler, preview: preview)
            try sampler.check(latents)
            if task.picture == .free, let decoder { frames.append(try decode(latents, with: decoder)) }
            if task.latents == .free { try target.latents?.write(latents, record: target.record) }
        }
        guard task.picture == .free else { return true }
        let picture =
            try target.record.columns.map { columns in
                [
                    try ImageGrid.arrange(
                        frames.map(FrameSheet.picture(of:)), columns: columns, padding: SampleRequest.gridPadding)
                ]
            } ?? frames[0]
        let classes = request.directory.classes
        switch target.picture {
        case .file(let file):
            do {
                try onWritten(file.write(picture, record: target.record, classNames: classes))
            } catch FileError.exists {
                guard try target.pictureStanding() == .done else { throw FileError.exists(path: file.path) }
                return false
            }
        case .standardOutput:
            let bytes = try request.format.encode(picture, record: target.record, classNames: classes)
            try WeightFiles.checkUnchanged()
            try Terminal.standardOutput.writeAll(bytes)
        case .none:
            break
        }
        return true
    }

    /// The sampler of a variant; images of one variant after another share its scratch memory.
    private func sampler(for variant: Int) throws -> ImageSampler {
        if let sampler, sampler.variant == variant { return sampler.sampler }
        sampler = nil
        let made = try ImageSampler(
            directory: request.directory, network: network, settings: request.variants[variant].settings,
            workers: workers)
        sampler = (variant, made)
        return made
    }

    private func decode(_ latents: Tensor, with decoder: any LatentDecoder) throws -> [Image] {
        decoders.wait()
        defer { decoders.signal() }
        let clock = ContinuousClock()
        let start = clock.now
        defer { decoding += (clock.now - start) / .seconds(1) }
        return try decoder.decode(latents)
    }

    private func preview(of target: SampleTarget) -> Preview? {
        guard let previewer, let interval = request.preview?.interval, let path = target.path else { return nil }
        return Preview(
            every: interval, of: path, decoder: previewer, predictionType: request.directory.process.predictionType,
            shape: request.directory.latentShape.dimensions)
    }

    /// Runs one image's steps; stops between two of them when a signal has come or another lane has failed.
    private func sample(
        _ item: SampleItem, number: Int, of target: SampleTarget, with sampler: ImageSampler, preview: Preview?
    ) throws -> Tensor {
        let variant = request.variants[target.variant]
        var timer: ReuseTimer?
        var run = try sampler.start(item, initialNoise: request.initialNoise) { model in
            timer = variant.timer(model, of: request.directory)
            return timer?.denoiser ?? model
        }
        let images = Double(target.record.items.count)
        while let step = try preview?.next(of: &run) ?? run.next() {
            let share = (Double(number) + Double(step.index + 1) / Double(step.count)) / images
            try progress.step(step, image: target.index + number, share: share, lane: index)
        }
        if let timer, let reuse = variant.reuse { saved += timer.secondsSaved(by: reuse.decisions) }
        return run.latents
    }
}
