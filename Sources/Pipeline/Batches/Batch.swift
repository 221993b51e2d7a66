import Caching
import Compute
import Media

/// Images to sample from one model, and the files that they go to: everything that a ``BatchRun`` needs, checked.
public struct Batch: Sendable {
    /// The gap between the pictures of a grid, in pixels.
    static let gridPadding = 2

    /// The model.
    public let directory: ModelDirectory
    /// What images share; more than one where their settings differ.
    public let variants: [SampleVariant]
    /// What is to be made: this shard's part of the list.
    public let targets: [SampleTarget]

    /// The noise that all images start from; nil when their seeds make it.
    let initialNoise: Tensor?
    /// What makes pictures of latents; nil when only the latents are kept.
    let decoder: DecoderSource?
    /// What makes previews, and how many steps lie between two; nil for none.
    let preview: (decoder: DecoderSource, interval: Int)?
    /// Where the files go.
    let output: Output
    /// The images of the whole list.
    public let items: [SampleItem]
    /// The description of the whole batch and this shard's manifest; nil where they are not written.
    let manifest: (run: RunFile, lines: Manifest)?
    /// Makes the settings hashes of each variant's single images.
    let hashers: [SettingsHasher]

    /// The images that are to be made, in all targets.
    public var imageCount: Int { targets.reduce(0) { $0 + $1.record.items.count } }

    /// Finds the file of every image.
    ///
    /// - Parameters:
    ///   - directory: the model.
    ///   - items: the images of the whole list, those of other shards too.
    ///   - variants: what images share.
    ///   - variantOf: for each item, which variant it takes; nil where all take the first.
    ///   - shard: the part of the list that is made.
    ///   - decoder: what makes pictures of latents; nil when only the latents are kept.
    ///   - initialNoise: noise for all images, in the latents' shape; nil when their seeds make it.
    ///   - output: where the files go.
    /// - Throws: ``PipelineError`` when two images would be one file or a name cannot be listed, `ImageError` for a grid
    ///   that is too large, and what opening the decoder throws.
    public init(
        directory: ModelDirectory, items: [SampleItem], variants: [SampleVariant], variantOf: [Int]? = nil,
        shard: Shard = .whole, decoder: DecoderSource?, initialNoise: Tensor? = nil, output: Output
    ) throws {
        self.directory = directory
        self.variants = variants
        self.decoder = decoder
        self.initialNoise = initialNoise
        self.output = output
        self.items = items
        preview = try output.previewInterval.map { interval in
            guard interval > 0 else {
                throw PipelineError.usage("--preview-every \(interval): give a number of steps from 1 on")
            }
            guard output.stream == nil, let decoder else {
                throw PipelineError.usage("--preview-every writes beside an image's file; name one with --output")
            }
            return (directory.tinyDirectory == nil ? decoder : try directory.decoder(.tiny) ?? decoder, interval)
        }
        let layout = try output.layout(in: directory, count: items.count)
        let model = directory.reference()
        let decoderReference = try decoder?.reference()
        let noise = initialNoise.map(LatentFile.hash)
        func record(_ items: [SampleItem], _ variant: Int, columns: Int? = nil) -> ImageRecord {
            ImageRecord(
                model: model, settings: variants[variant].settings, items: items, columns: columns,
                initialNoise: noise, reuse: variants[variant].reuse, decoder: decoderReference,
                framesPerSecond: layout.framesPerSecond)
        }
        hashers = variants.indices.map { SettingsHasher(record([], $0)) }

        func variant(_ index: Int) -> Int { variantOf?[index] ?? 0 }
        func path(_ index: Int, frame: Int = 0) -> String {
            output.pattern.path(
                for: items[index], index: output.firstIndex + index, frame: frame, classNames: directory.classes)
        }
        func file(_ path: String) -> ImageFile {
            ImageFile(path: path, format: output.format, replaces: output.replaces)
        }
        func target(_ index: Int, _ items: [SampleItem], columns: Int? = nil) -> SampleTarget {
            let picture: SampleTarget.Picture =
                if decoder == nil {
                    .none
                } else if let stream = output.stream {
                    .stream(output.format, stream)
                } else if layout == .numbered {
                    .frames((0..<directory.latentShape.frames).map { file(path(index, frame: $0)) })
                } else {
                    .file(file(path(index)))
                }
            return SampleTarget(
                index: index, variant: variant(index), record: record(items, variant(index), columns: columns),
                picture: picture, latents: output.latents.map { LatentFile(path: $0, replaces: output.replaces) })
        }
        if let columns = output.columns {
            guard (1...10_000).contains(columns) else {
                throw PipelineError.usage("--grid \(columns): give a number of columns from 1 to 10000")
            }
            try decoder?.check(
                directory.latentShape, count: items.count, columns: columns, padding: Self.gridPadding)
            targets = [target(0, items, columns: columns)]
        } else {
            guard output.stream == nil || items.count == 1 else {
                throw PipelineError.usage("--output - writes one image, not \(items.count); give --count 1 or --grid")
            }
            try Self.checkPaths(items.indices.lazy.map { path($0) }, of: output.pattern)
            targets = items.indices.filter(shard.contains).map { target($0, [items[$0]]) }
        }
        if let latents = output.latents, decoder != nil, targets.contains(where: { $0.paths.contains(latents) }) {
            throw PipelineError.usage("--save-latents \(latents): the image has the same path; give another one")
        }
        guard output.keepsManifest else {
            manifest = nil
            return
        }
        let images: [RunFile.Image] = try items.indices.map { index in
            (try Self.nameInManifest(path(index), of: output.pattern), items[index], variant(index))
        }
        let run = RunFile(
            model: model, decoder: decoderReference, initialNoise: noise, framesPerSecond: layout.framesPerSecond,
            variants: variants.map {
                RunFile.Variant(settings: $0.settings, reuse: $0.reuse, evaluationsFull: $0.evaluationsFull)
            }, images: images)
        manifest = (run, Manifest(shard: shard, folder: output.pattern.folder))
    }

    /// Refuses a path for two images. Those of other shards count too, since all shards write to one place.
    private static func checkPaths(
        _ paths: some Collection<String>, of pattern: OutputPattern
    ) throws(PipelineError) {
        guard paths.count > 1 else { return }
        var owner: [String: Int] = [:]
        owner.reserveCapacity(paths.count)
        for (index, path) in paths.enumerated() {
            guard let other = owner.updateValue(index, forKey: path) else { continue }
            throw .usage(
                "--output \(pattern.text): images \(other) and \(index) would both be \(path); add {seed} or {index}")
        }
    }

    /// A path as a manifest lists it: seen from the pattern's directory.
    private static func nameInManifest(_ path: String, of pattern: OutputPattern) throws(PipelineError) -> String {
        let name = pattern.nameInFolder(path)
        guard UntrustedFolder.isPlain(name) else {
            throw .usage(
                "--output \(pattern.text): a manifest lists plain names, without '..', backslashes and control "
                    + "characters after the first placeholder's directory; choose another name")
        }
        return name
    }
}

/// What images of a batch share: settings, and what is reused under them.
public struct SampleVariant: Sendable {
    /// The sampler, its steps and its guidance.
    public let settings: SampleSettings
    /// Evaluations of one image when nothing is reused.
    public let evaluationsFull: Int
    /// What is reused; nil when nothing is.
    public let reuse: ReuseRecord?
    private let forecaster: Forecaster?

    /// Evaluations of one image.
    public var evaluations: Int { reuse?.evaluations ?? evaluationsFull }

    /// Checks settings and reuse against the run's `schedule`.
    ///
    /// - Throws: ``PlanError`` when the plan does not fit the schedule.
    public init(settings: SampleSettings, schedule: RunSchedule, reuse: ReuseRecord? = nil) throws(PlanError) {
        self.settings = settings
        self.reuse = reuse
        evaluationsFull = schedule.evaluations
        forecaster = try reuse?.forecaster(for: schedule)
    }

    /// The model with the cache around it and a clock on both sides; nil if nothing is reused.
    func timer(_ denoiser: NetworkDenoiser, of directory: ModelDirectory) -> ReuseTimer? {
        guard let reuse, let forecaster else { return nil }
        return ReuseTimer(denoiser) { timed in
            CachedDenoiser(
                timed, predictionType: directory.process.predictionType, plan: reuse.decisions, forecaster: forecaster,
                planGuard: reuse.planGuard)
        }
    }
}

/// One image, or one grid of images, and the files that hold it.
public struct SampleTarget: Sendable {
    /// Where the picture goes.
    public enum Picture: Sendable {
        case file(ImageFile)
        /// To a file for each frame.
        case frames([ImageFile])
        /// To a function that takes the bytes of a file in this format, for standard output and the like.
        case stream(ImageFile.Format, @Sendable ([UInt8]) throws -> Void)
        /// Nowhere: the model's latents are not pixels.
        case none
    }

    /// The first image's place in the list.
    public let index: Int
    /// The number of the batch's variant.
    public let variant: Int
    /// What is drawn.
    public let record: ImageRecord
    /// Where the picture goes.
    public let picture: Picture
    /// Where the final latents go, if they are wanted.
    public let latents: LatentFile?

    /// The picture's path, the first frame's, or else that of the latents; nil for a stream.
    public var path: String? { paths.first }

    /// The paths of the picture or of its frames, or else that of the latents; none for a stream.
    public var paths: [String] {
        switch picture {
        case .file(let file): [file.path]
        case .frames(let files): files.map(\.path)
        case .stream: []
        case .none: latents.map { [$0.path] } ?? []
        }
    }

    /// Whether the image is to choose between two plans when it is made.
    var isUndecided: Bool { record.reuse?.hard != nil }

    /// The target of an image that has chosen.
    func decided(isHard: Bool) -> SampleTarget {
        SampleTarget(
            index: index, variant: variant, record: record.decided(isHard: isHard), picture: picture, latents: latents)
    }

    /// Looks for the picture.
    ///
    /// - Parameter hasher: makes the settings hash of a single image faster than its record does.
    /// - Returns: whether the picture is there.
    /// - Throws: ``PipelineError`` when another file is in the way or the directory cannot be written to.
    func pictureStanding(_ hasher: SettingsHasher? = nil) throws(PipelineError) -> Standing {
        switch picture {
        case .file(let file):
            try file.standing(for: hasher?.hash(of: record.items[0]) ?? record.settingsHash)
        case .frames(let files): try Self.standing(of: files, record)
        case .stream: .free
        case .none: .done
        }
    }

    /// What there is of the files of a clip's frames: `done` where none is missing.
    private static func standing(of files: [ImageFile], _ record: ImageRecord) throws(PipelineError) -> Standing {
        var standing = Standing.done
        for (index, file) in files.enumerated() where try file.standing(for: record.frame(index)) == .free {
            standing = .free
        }
        return standing
    }

    /// Looks for the latents; `done` where none are wanted.
    ///
    /// - Throws: ``PipelineError`` when another file is in the way or the directory cannot be written to.
    func latentsStanding() throws(PipelineError) -> Standing {
        try latents?.standing(for: record) ?? .done
    }
}
