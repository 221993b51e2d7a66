import Pipeline

/// The images of a request, those of all shards: their classes and seeds, and what they share.
struct SampleSubjects {
    let items: [SampleItem]
    /// The seed that was drawn since none was given.
    let drawnSeed: UInt32?
    /// For each image, which variant it takes; nil where all take the same.
    var variants: [Int]? { list?.variants }
    private let list: BatchList?

    /// The images of a list.
    init(_ list: BatchList) {
        (self.list, items, drawnSeed) = (list, list.items, nil)
    }

    /// The images of a file, of the options, or of another image.
    init(command: SampleCommand, like: ImageMetadata?, directory: ModelDirectory) throws {
        let subject = command.subject
        if let path = command.batch.batch {
            self = Self(
                try BatchList(
                    file: BatchFile(path: path, names: BatchList.names), subject: subject, firstSeed: subject.seed,
                    directory: directory))
            return
        }
        list = nil
        let conditions = try subject.shown.conditions(of: directory)
        let negative = try subject.shown.negative()
        let kept = try like.map { try WorkList(items: $0.record.items, of: directory.conditions) }
        if let kept, conditions == nil, negative == nil, subject.seed == nil, subject.count == nil {
            (items, drawnSeed) = (kept.items, nil)
            return
        }
        guard conditions != nil || kept != nil || directory.conditions.promptRules == nil else {
            throw PipelineError.usage("the model \(directory.name) draws what a prompt says; give --prompt")
        }
        let seed = subject.seed ?? kept?.items[0].seed ?? UInt32.random(in: 0...UInt32.max >> 1)
        items = try WorkList(
            seed: seed, count: subject.count ?? max(conditions?.count ?? 1, kept?.items.count ?? 1),
            conditions: conditions ?? kept?.items.map(\.condition), negative: negative ?? kept?.items[0].negative,
            of: directory.conditions
        ).items
        drawnSeed = subject.seed == nil && kept == nil ? seed : nil
    }

    /// What images share.
    ///
    /// - Throws: for options of a list, `PipelineError.badData` with their line.
    func resolveVariants(
        command: SampleCommand, session: ModelSession, reuse source: ReuseSource, like: ImageMetadata?
    ) throws -> [SampleVariant] {
        let decoder = try session.directory.decoder(command.decoder.choice)
        let settings = command.sampling.settings(
            over: (like?.record.settings ?? source.settings ?? session.directory.defaultSettings)
                .computed(by: session.arithmetic),
            of: session.directory)
        guard let list else {
            return [
                try SampleVariant(
                    session: session, settings: settings, reuse: source, span: command.planGuard.budgetOver,
                    calibrates: !command.execution.dryRun, decoder: decoder, like: like?.record)
            ]
        }
        return try list.options.indices.map { index in
            try list.blaming(index) { own in
                try SampleVariant(
                    session: session, settings: own.sampling.settings(over: settings, of: session.directory),
                    reuse: own.cache.given == nil
                        ? source : ReuseSource(plan: command.plan, options: own.cache.over(command.cache)),
                    span: command.planGuard.budgetOver, calibrates: !command.execution.dryRun, decoder: decoder)
            }
        }
    }
}

extension SampleVariant {
    /// Checks the settings against the model; makes a calibration if one is needed, or says that the run would, unless
    /// `calibrates`.
    fileprivate init(
        session: ModelSession, settings: SampleSettings, reuse source: ReuseSource, span: BudgetSpan, calibrates: Bool,
        decoder: DecoderSource?, like: ImageRecord? = nil
    ) throws {
        let schedule = try settings.schedule(for: session.directory)
        let calibration = session.calibration(for: settings, makes: calibrates)
        let reuse: ReuseRecord?
        do {
            reuse = try source.settled(in: session, settings: settings, calibration: calibration, decoder: decoder)
                .resolve(
                    model: session.directory.reference(), settings: settings, schedule: schedule, like: like,
                    span: span, calibration: calibration)
        } catch let missing as MissingCalibration {
            session.report(.message("\(missing); what follows is a full run"))
            reuse = nil
        }
        try self.init(settings: settings, schedule: schedule, reuse: reuse)
    }
}
