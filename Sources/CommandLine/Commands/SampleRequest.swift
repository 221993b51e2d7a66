import Pipeline

/// What `omnicache sample` was asked for, with every default filled in and checked against the model.
struct SampleRequest: Sendable {
    let batch: Batch
    /// The seed that was drawn since none was given.
    let drawnSeed: UInt32?

    /// Fills in the defaults, those of `like` or of a plan before those of the model, and checks everything that can be
    /// known; makes a calibration if one is needed and `calibrates` allows it.
    ///
    /// - Parameters:
    ///   - command: the options.
    ///   - session: the model.
    ///   - reuse: what is reused.
    ///   - like: the image whose settings count before those of the model.
    ///   - list: the images, where they are neither in the options nor in a file that these name.
    ///   - firstIndex: the index of the first image of `list`.
    /// - Throws: `PipelineError` for what does not fit together, and what reading files and calibrating throws.
    init(
        command: SampleCommand, session: ModelSession, reuse: ReuseSource, like: ImageMetadata?,
        list: BatchList? = nil, firstIndex: Int = 0
    ) throws {
        let output = command.output
        let directory = session.directory
        let reference = directory.reference()
        if let like, !like.record.model.isSame(as: reference) {
            throw PipelineError.badData(
                "--like: the image was made by model \(like.record.model.name) with other weights or another config.json "
                    + "than \(directory.path) has; give its directory with --model")
        }
        let shard = try command.batch.part()
        try Self.check(command, hasLike: like != nil)
        if command.planGuard.budgetOver == .batch {
            let isGrid = output.grid ?? like?.record.columns != nil
            if let conflict = isGrid ? "--grid" : output.saveLatents.map({ _ in "--save-latents" }) {
                throw PipelineError.usage("--budget-over batch chooses a plan for each picture; drop \(conflict)")
            }
        }
        let subjects =
            try list.map(SampleSubjects.init) ?? SampleSubjects(command: command, like: like, directory: directory)
        drawnSeed = subjects.drawnSeed
        let variants = try subjects.resolveVariants(command: command, session: session, reuse: reuse, like: like)

        let noise = try output.initNoise.map { [shape = directory.latentShape.dimensions] path in
            try LatentFile.readNoise(path: path, shape: shape)
        }
        if let expected = like?.record.initialNoise, noise.map(LatentFile.hash) != expected {
            throw PipelineError.usage(
                "--like: the image started from noise in a file (SHA-256 \(expected.prefix(12))…); give that file "
                    + "with --init-noise")
        }
        guard output.saveLatents == nil || subjects.items.count == 1 else {
            throw PipelineError.usage(
                "--save-latents holds one image, not \(subjects.items.count); give --count 1")
        }
        guard output.saveLatents != "-" else {
            throw PipelineError.usage("--save-latents -: latents go into a file; give its path")
        }
        let decoder = try directory.decoder(command.decoder.choice)
        guard decoder != nil || output.saveLatents != nil else {
            throw directory.needsDecoder(instead: ", or keep the latents with --save-latents")
        }
        if let like, try like.record.decoder != decoder?.reference() {
            throw PipelineError.badData(
                "--like: the image was drawn by \(like.record.decoder.map { "the decoder \($0.name) (\($0.hash.prefix(10))…)" } ?? "no decoder"), "
                    + "which is not the one in use; give its directory with --decoder")
        }
        let format = try output.resolvedFormat()
        let columns = output.grid ?? like?.record.columns
        var files = Batch.Output(
            pattern: try output.pattern(format: format, isGrid: columns != nil, isList: command.batch.batch != nil),
            format: format)
        files.columns = columns
        files.replaces = output.force
        files.latents = output.saveLatents
        files.keepsManifest = command.batch.keepsManifest && list == nil
        files.firstIndex = firstIndex
        files.previewInterval = output.previewEvery
        files.framesPerSecond = output.fps
        files.usualRate = like?.record.framesPerSecond
        if output.usesStandardOutput { files.stream = { try Terminal.standardOutput.writeAll($0) } }
        batch = try Batch(
            directory: directory, items: subjects.items, variants: variants, variantOf: subjects.variants, shard: shard,
            decoder: decoder, initialNoise: noise, output: files)
    }

    /// Refuses what a list, a shard or a manifest cannot be combined with.
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
}
