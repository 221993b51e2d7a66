import Compute
import Dispatch
import Media
import Models
import Sampling

/// Makes one target after the other, on its own threads and with its own scratch memory.
final class TargetSampler {
    /// The seconds that decoding the last target's pictures took.
    private(set) var decoding = 0.0
    /// The seconds that reuse has saved on the last target.
    private(set) var saved = 0.0

    private let slot: Int
    private let batch: Batch
    private let network: any DenoisingNetwork
    private let workers: Workers
    private let decoder: (any LatentDecoder)?
    private let previewer: (any LatentDecoder)?
    private let decoders: DispatchSemaphore
    private let progress: BatchProgress
    /// The sampler of the last variant.
    private var sampler: (variant: Int, sampler: ImageSampler)?

    /// A sampler for one of the images in flight, the `slot`-th; `decoders` admits as many at a time as fit the memory.
    init(
        slot: Int, batch: Batch, network: any DenoisingNetwork, workers: Workers, decoder: (any LatentDecoder)?,
        previewer: (any LatentDecoder)?, decoders: DispatchSemaphore, progress: BatchProgress
    ) {
        self.slot = slot
        self.batch = batch
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
    ///   - asked: the target.
    ///   - makesPicture: whether its picture is missing.
    ///   - makesLatents: whether its latents are missing.
    ///   - onWritten: given the target and the bytes of a picture's file once it is written.
    /// - Returns: the target with the plan that its image has chosen, and false if another process has made the same picture
    ///   meanwhile.
    /// - Throws: what sampling, decoding, writing or the progress report throws.
    func make(
        _ asked: SampleTarget, picture makesPicture: Bool, latents makesLatents: Bool,
        onWritten: (SampleTarget, [UInt8]) throws -> Void
    ) throws -> (target: SampleTarget, isMade: Bool) {
        var target = asked
        let preview = preview(of: target)
        defer { preview?.remove() }
        (decoding, saved) = (0, 0)
        var frames: [[Image]] = []
        let sampler = try sampler(for: target.variant)
        for (number, item) in target.record.items.enumerated() {
            let (latents, isHard) = try sample(item, number: number, of: target, with: sampler, preview: preview)
            try sampler.check(latents)
            // Only a picture of one image chooses.
            if target.isUndecided { target = target.decided(isHard: isHard) }
            if makesPicture, let decoder { frames.append(try decode(latents, with: decoder)) }
            if makesLatents { try target.latents?.write(latents, record: target.record) }
        }
        guard makesPicture else { return (target, true) }
        let picture =
            try target.record.columns.map { columns in
                [
                    try ImageGrid.arrange(
                        frames.map(FrameSheet.picture(of:)), columns: columns, padding: Batch.gridPadding)
                ]
            } ?? frames[0]
        let classes = batch.directory.classes
        switch target.picture {
        case .file(let file):
            do {
                try onWritten(target, file.write(picture, record: target.record, classNames: classes))
            } catch FileError.exists {
                guard try target.pictureStanding() == .done else { throw FileError.exists(path: file.path) }
                return (target, false)
            }
        case .stream(let format, let write):
            let bytes = try format.encode(picture, record: target.record, classNames: classes)
            try WeightFiles.checkUnchanged()
            try write(bytes)
        case .none:
            break
        }
        return (target, true)
    }

    /// The sampler of a variant; successive images of one variant share its scratch memory.
    private func sampler(for variant: Int) throws -> ImageSampler {
        if let sampler, sampler.variant == variant { return sampler.sampler }
        sampler = nil
        let made = try ImageSampler(
            directory: batch.directory, network: network, settings: batch.variants[variant].settings, workers: workers)
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
        guard let previewer, let interval = batch.preview?.interval, let path = target.path else { return nil }
        return Preview(
            every: interval, of: path, decoder: previewer, predictionType: batch.directory.process.predictionType,
            shape: batch.directory.latentShape.dimensions)
    }

    /// Runs one image's steps; stops between two of them when the report throws or another image has failed.
    ///
    /// - Returns: the latents, and whether the image was found hard.
    private func sample(
        _ item: SampleItem, number: Int, of target: SampleTarget, with sampler: ImageSampler, preview: Preview?
    ) throws -> (latents: Tensor, isHard: Bool) {
        let variant = batch.variants[target.variant]
        var timer: ReuseTimer?
        var run = try sampler.start(item, initialNoise: batch.initialNoise) { model in
            timer = variant.timer(model, of: batch.directory)
            return timer?.denoiser ?? model
        }
        let images = Double(target.record.items.count)
        while let step = try preview?.next(of: &run) ?? run.next() {
            let share = (Double(number) + Double(step.index + 1) / Double(step.count)) / images
            try progress.step(step, image: target.index + number, share: share, slot: slot)
        }
        saved += timer?.secondsSaved ?? 0
        return (run.latents, timer?.cached.isHard ?? false)
    }
}
