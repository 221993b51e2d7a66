import Caching
import Compute
import Pipeline
import Sampling

/// What `omnicache sample` was asked for, with every default filled in and checked against the model.
struct SampleRequest: Sendable {
    /// The gap between the pictures of a grid, in pixels.
    static let gridPadding = 2

    let directory: ModelDirectory
    /// What images share; more than one where a batch's options differ.
    let variants: [SampleVariant]
    /// How many images the whole list has, those of other shards too.
    let listCount: Int
    /// The seed that was drawn since none was given.
    let drawnSeed: UInt32?
    let initialNoise: Tensor?
    /// What makes pictures of latents; nil when only the latents are kept.
    let decoder: DecoderSource?
    /// What makes previews, and how many steps lie between two; nil for none.
    let preview: (decoder: DecoderSource, interval: Int)?
    let format: ImageFile.Format
    /// What is to be made: of the list, this shard's part.
    let targets: [SampleTarget]
    /// The batch's books; nil where none are kept.
    let books: BatchBooks?
    /// Makes the settings hashes of each variant's images.
    let hashers: [SettingsHasher]

    /// What the images of a request without a list of options share, and those of a list in the first place.
    var first: SampleVariant { variants[0] }

    /// The images that are to be made, in all targets.
    var imageCount: Int { targets.reduce(0) { $0 + $1.record.items.count } }

    /// Fills in the defaults, those of `like` or of a plan before those of the model, and checks everything that can be
    /// known; makes a calibration if one is needed and `calibrates` allows it.
    init(command: SampleCommand, session: ModelSession, like: ImageMetadata?) throws {
        let (output, batch) = (command.output, command.batch)
        let directory = session.directory
        self.directory = directory
        let reference = directory.reference()
        if let like, !like.record.model.isSame(as: reference) {
            throw PipelineError.badData(
                "--like: the image was made by model \(like.record.model.name) with other weights or another config.json "
                    + "than \(directory.path) has; give its directory with --model")
        }
        let shard = try batch.part()
        try Self.check(command, hasLike: like != nil)
        let subjects = try SampleSubjects(command: command, like: like, directory: directory)
        drawnSeed = subjects.drawnSeed
        listCount = subjects.items.count
        variants = try subjects.resolveVariants(command: command, session: session, like: like)

        let noise = try output.initNoise.map { [shape = directory.latentShape.dimensions] path in
            try LatentFile.readNoise(path: path, shape: shape)
        }
        initialNoise = noise
        let noiseHash = noise.map(LatentFile.hash)
        if let expected = like?.record.initialNoise, noiseHash != expected {
            throw PipelineError.usage(
                "--like: the image started from noise in a file (SHA-256 \(expected.prefix(12))…); give that file "
                    + "with --init-noise")
        }
        guard output.saveLatents == nil || subjects.items.count == 1 else {
            throw PipelineError.usage(
                "--save-latents holds one image, not \(subjects.items.count); give --count 1")
        }
        let pictures = try directory.decoder(command.decoder.choice)
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
        let columns = output.grid ?? like?.record.columns
        let pattern = try output.pattern(format: format, isGrid: columns != nil, isList: batch.batch != nil)
        let plan = TargetPlan(
            directory: directory, output: output, format: format, pattern: pattern, decoder: pictures,
            subjects: subjects, shard: shard
        ) { [variants] items, variant, columns in
            ImageRecord(
                model: reference, settings: variants[variant].settings, items: items, columns: columns,
                initialNoise: noiseHash, reuse: variants[variant].reuse, decoder: decoderReference)
        }
        targets = try plan.targets(columns: columns)
        hashers = variants.indices.map { SettingsHasher(plan.record([], $0, nil)) }
        books =
            batch.keepsManifest
            ? BatchBooks(
                pattern: pattern, shard: shard, replaces: output.force,
                run: RunFile(
                    model: reference, decoder: decoderReference, initialNoise: noiseHash,
                    variants: variants.map {
                        RunFile.Variant(
                            settings: $0.settings, reuse: $0.reuse, evaluationsFull: $0.evaluationsFull)
                    },
                    images: try plan.files()))
            : nil
    }

    /// Refuses what a list, a shard or books cannot be had together with.
    private static func check(_ command: SampleCommand, hasLike: Bool) throws(PipelineError) {
        let (output, batch) = (command.output, command.batch)
        let given =
            batch.batch != nil ? "--batch" : batch.shard != nil ? "--shard" : batch.manifest ? "--manifest" : nil
        guard let given else { return }
        let conflict =
            output.grid != nil ? "--grid" : hasLike ? "--like" : output.usesStandardOutput ? "--output -" : nil
        if let conflict { throw .usage("\(given) makes a file for each image; drop \(conflict)") }
        guard batch.batch != nil || batch.shard == nil || command.subject.seed != nil else {
            throw .usage("--shard needs --seed, since all shards must make one list")
        }
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
}
