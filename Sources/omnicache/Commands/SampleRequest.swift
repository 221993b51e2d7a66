import OmniCache
import Pipeline
import Sampling
import Tensor

/// What `omnicache sample` was asked for, with every default filled in and checked against the model.
struct SampleRequest {
    /// The gap between the pictures of a grid, in pixels.
    static let gridPadding = 2

    let directory: ModelDirectory
    let settings: SampleSettings
    let work: WorkList
    let seedWasDrawn: Bool
    /// Evaluations of one image when nothing is reused.
    let evaluationsFull: Int
    /// What is reused; nil when nothing is.
    let reuse: ReuseRecord?
    /// What fills the gaps; nil when there are none.
    let forecaster: (any Forecaster)?
    let initialNoise: Tensor?
    /// What makes pictures of latents; nil when only the latents are kept.
    let decoder: DecoderSource?
    /// What makes previews, and how many steps lie between two; nil for none.
    let preview: (decoder: DecoderSource, interval: Int)?
    let format: ImageFile.Format
    /// What is to be made.
    let targets: [SampleTarget]

    /// Evaluations of one image.
    var evaluations: Int { reuse?.evaluations ?? evaluationsFull }

    /// Fills in the defaults, those of `like` or of a plan before those of the model, and checks everything that can be
    /// known; makes a calibration if one is needed and `calibrates` allows it.
    init(
        session: ModelSession, subject: SubjectOptions, sampling: SamplingOptions, decoder: DecoderOptions,
        output: OutputOptions, reuse source: ReuseSource, calibrates: Bool, like: ImageMetadata?
    ) throws {
        directory = session.directory
        let reference = directory.reference()
        if let like, !like.record.model.isSame(as: reference) {
            throw PipelineError.badData(
                "--like: the image was made by model \(like.record.model.name) with other weights or another config.json "
                    + "than \(directory.path) has; give its directory with --model")
        }
        settings = sampling.settings(over: like?.record.settings ?? source.settings ?? directory.defaultSettings)
        let schedule = try settings.schedule(for: directory)
        evaluationsFull = schedule.evaluations
        let reuse = try source.resolve(
            model: reference, settings: settings, schedule: schedule, like: like?.record,
            calibration: session.calibration(for: settings, makes: calibrates))
        self.reuse = reuse
        forecaster = try reuse?.forecaster(for: schedule)
        (work, seedWasDrawn) = try Self.work(subject, like: like, directory: directory)
        let noise = try output.initNoise.map { [shape = directory.latentShape] path in
            try LatentFile.readNoise(path: path, shape: shape)
        }
        initialNoise = noise
        let noiseHash = noise.map(LatentFile.hash)
        if let expected = like?.record.initialNoise, noiseHash != expected {
            throw PipelineError.usage(
                "--like: the image started from noise in a file (SHA-256 \(expected.prefix(12))…); give that file "
                    + "with --init-noise")
        }
        guard output.saveLatents == nil || work.items.count == 1 else {
            throw PipelineError.usage("--save-latents holds one image, not \(work.items.count); give --count 1")
        }
        let pictures = try directory.decoder(decoder.choice)
        guard pictures != nil || output.saveLatents != nil else {
            throw directory.needsDecoder(instead: ", or keep the latents with --save-latents")
        }
        self.decoder = pictures
        preview = try Self.preview(output, directory: directory, decoder: pictures)
        let decoderReference = try pictures?.reference()
        if let like, like.record.decoder != decoderReference {
            throw PipelineError.badData(
                "--like: the image was drawn by \(like.record.decoder.map { "the decoder \($0.name) (\($0.hash.prefix(10))…)" } ?? "no decoder"), "
                    + "which is not the one in use; give its directory with --decoder")
        }
        format = try output.resolvedFormat()
        targets = try Self.targets(
            output, format: format, columns: output.grid ?? like?.record.columns, directory: directory,
            decoder: pictures, items: work.items
        ) { [settings] items, columns in
            ImageRecord(
                model: reference, settings: settings, items: items, columns: columns, initialNoise: noiseHash,
                reuse: reuse, decoder: decoderReference)
        }
    }

    /// The model as the sampler sees it: with the cache around it, if something is reused.
    func wrap(_ denoiser: DiTDenoiser) -> any Denoiser {
        guard let reuse, let forecaster else { return denoiser }
        return CachedDenoiser(
            denoiser, predictionType: directory.process.predictionType, plan: reuse.decisions, forecaster: forecaster)
    }

    private static func work(
        _ subject: SubjectOptions, like: ImageMetadata?, directory: ModelDirectory
    ) throws -> (WorkList, seedWasDrawn: Bool) {
        let classes = try subject.classes.map(directory.classes.resolve)
        let kept = try like.map { try WorkList(items: $0.record.items, classCount: directory.classes.count) }
        if let kept, subject.classes == nil, subject.seed == nil, subject.count == nil { return (kept, false) }
        let seed = subject.seed ?? kept?.items[0].seed ?? UInt32.random(in: 0...UInt32.max >> 1)
        let list = try WorkList(
            seed: seed, count: subject.count ?? max(classes?.count ?? 1, kept?.items.count ?? 1),
            classes: classes ?? kept?.items.map(\.classID), classCount: directory.classes.count)
        return (list, subject.seed == nil && kept == nil)
    }

    private static func preview(
        _ output: OutputOptions, directory: ModelDirectory, decoder: DecoderSource?
    ) throws -> (DecoderSource, Int)? {
        guard let interval = output.previewEvery else { return nil }
        guard interval > 0 else {
            throw PipelineError.usage("--preview-every \(interval): give a number of steps from 1 on")
        }
        guard !output.usesStandardOutput, let decoder else {
            throw PipelineError.usage("--preview-every writes beside an image's file; name one with --output")
        }
        return (directory.tinyDirectory == nil ? decoder : try directory.decoder(.tiny) ?? decoder, interval)
    }

    private static func targets(
        _ output: OutputOptions, format: ImageFile.Format, columns: Int?, directory: ModelDirectory,
        decoder: DecoderSource?, items: [SampleItem],
        record: ([SampleItem], Int?) -> ImageRecord
    ) throws -> [SampleTarget] {
        let pattern = try output.pattern(format: format, isGrid: columns != nil)
        let latents = output.saveLatents.map { LatentFile(path: $0, replaces: output.force) }
        func target(_ items: [SampleItem], _ index: Int, columns: Int? = nil) -> SampleTarget {
            let picture: SampleTarget.Picture
            if decoder == nil {
                picture = .none
            } else if output.usesStandardOutput {
                picture = .standardOutput
            } else {
                let path = pattern.path(for: items[0], index: index, classNames: directory.classes)
                picture = .file(ImageFile(path: path, format: format, replaces: output.force))
            }
            return SampleTarget(record: record(items, columns), picture: picture, latents: latents)
        }
        if let columns {
            guard (1...10_000).contains(columns) else {
                throw PipelineError.usage("--grid \(columns): give a number of columns from 1 to 10000")
            }
            try decoder?.check(
                side: directory.config.inputSize, count: items.count, columns: columns, padding: gridPadding)
            return [target(items, 0, columns: columns)]
        }
        guard !output.usesStandardOutput || items.count == 1 else {
            throw PipelineError.usage("--output - writes one image, not \(items.count); give --count 1 or --grid")
        }
        var owner: [String: Int] = [:]
        return try items.enumerated().map { index, item in
            let target = target([item], index)
            if let path = target.path, let other = owner.updateValue(index, forKey: path) {
                throw PipelineError.usage(
                    "--output \(pattern.text): images \(other) and \(index) would both be \(path); add {seed} or {index}"
                )
            }
            return target
        }
    }
}
