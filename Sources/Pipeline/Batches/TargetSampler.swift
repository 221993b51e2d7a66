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
        var clips: [Clip] = []
        let sampler = try sampler(for: target.variant)
        for (number, item) in target.record.items.enumerated() {
            let (latents, isHard) = try sample(item, number: number, of: target, with: sampler, preview: preview)
            try sampler.check(latents)
            // Only a picture of one image chooses.
            if target.isUndecided { target = target.decided(isHard: isHard) }
            if makesPicture, let decoder { clips.append(try clip(of: latents, record: target.record, with: decoder)) }
            if makesLatents { try target.latents?.write(latents, record: target.record) }
        }
        guard makesPicture else { return (target, true) }
        let picture = try Self.arranged(clips, as: target.record)
        let classes = batch.directory.classes
        switch target.picture {
        case .file(let file):
            guard let bytes = try Self.write(picture, to: file, record: target.record, classes) else {
                return (target, false)
            }
            try onWritten(target, bytes)
        case .frames(let files):
            for (index, file) in files.enumerated() {
                let record = target.record.frame(index)
                guard try file.standing(for: record) == .free else { continue }
                _ = try Self.write(Clip(picture.frames[index]), to: file, record: record, classes)
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

    /// The clips of a record in one: side by side in a grid, or the frames of a single one in a picture.
    private static func arranged(_ clips: [Clip], as record: ImageRecord) throws(ImageError) -> Clip {
        guard let columns = record.columns else { return clips[0] }
        guard clips.count == 1 else {
            return try ImageGrid.arrange(clips, columns: columns, padding: Batch.gridPadding)
        }
        return Clip(try ImageGrid.arrange(clips[0].frames, columns: columns, padding: Batch.gridPadding))
    }

    /// Writes a file.
    ///
    /// - Returns: its bytes; nil if another process has made the same one meanwhile.
    private static func write(
        _ clip: Clip, to file: ImageFile, record: ImageRecord, _ classes: ClassNames
    ) throws -> [UInt8]? {
        do {
            return try file.write(clip, record: record, classNames: classes)
        } catch FileError.exists {
            guard try file.standing(for: record) == .done else { throw FileError.exists(path: file.path) }
            return nil
        }
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

    private func clip(
        of latents: Tensor, record: ImageRecord, with decoder: any LatentDecoder
    ) throws -> Clip {
        decoders.wait()
        defer { decoders.signal() }
        let clock = ContinuousClock()
        let start = clock.now
        defer { decoding += (clock.now - start) / .seconds(1) }
        return Clip(try decoder.decode(latents), framesPerSecond: record.framesPerSecond ?? Clip.usualRate)
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
