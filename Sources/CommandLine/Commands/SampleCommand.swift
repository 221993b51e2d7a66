import ArgumentParser
import FoundationEssentials
import Media
import Pipeline

/// `omnicache sample`: samples images.
struct SampleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample", abstract: "Samples images from a model.",
        discussion: """
            omnicache sample --steps 50 --class face-smiling --seed 7
            omnicache sample --class all --grid 11 -o sheet.png
            omnicache sample --steps 50 --budget 0.5
            omnicache sample --prompt 'a red apple left of two small stars' --budget 0.5
            omnicache sample --like face-smiling-7.png -o again.png
            omnicache sample --batch list.csv --shard 0/4 -o 'set/{index}.png'
            """)

    @OptionGroup(title: "Model options") var model: ModelOptions
    @OptionGroup(title: "Decoder options") var decoder: DecoderOptions
    @OptionGroup(title: "Image options") var subject: SubjectOptions
    @OptionGroup(title: "Sampling options") var sampling: SamplingOptions
    @OptionGroup(title: "Cache options") var cache: CacheOptions
    @OptionGroup(title: "Guard options") var planGuard: GuardOptions
    @OptionGroup(title: "Output options") var output: OutputOptions
    @OptionGroup(title: "Batch options") var batch: BatchOptions
    @OptionGroup(title: "Run options") var execution: RunOptions

    @Option(
        help: ArgumentHelp(
            "Sample this image again with the settings stored in it. Other options override them.", valueName: "image")
    )
    var like: String?

    @Option(
        help: ArgumentHelp(
            "Use this plan of 'omnicache plan', with the settings stored in it.", valueName: "file"))
    var plan: String?

    func run() throws {
        let log = execution.begin(keepsOutputFree: output.usesStandardOutput)
        defer { log.finish() }
        let like = try like.map(Self.readMetadata)
        let source = try ReuseSource(plan: plan, options: cache)
        let arithmetic = try model.engine.arithmetic(
            over: like?.record.settings.arithmetic ?? source.settings?.arithmetic ?? .standard, log: log)
        let keepsPrompts = like.map { $0.record.items.contains { $0.classID == nil } } ?? false
        let session = try ModelSession(
            directory: model.open(
                takesPrompts: subject.shown.givesPrompts || keepsPrompts, named: like?.record.model.name,
                size: like.map(\.record.settings.size) ?? source.settings?.size), options: model,
            arithmetic: arithmetic,
            workers: execution.workers(), log: log)
        if let count = batch.inFlight, !(1...1024).contains(count) {
            throw PipelineError.usage("--in-flight \(count): give a number from 1 to 1024")
        }
        if batch.answersRequests {
            return try RequestService(command: self, session: session, reuse: source, log: log).run()
        }
        let request = try SampleRequest(command: self, session: session, reuse: source, like: like)
        if let warning = request.batch.variants.lazy.compactMap({ $0.reuse?.warning(steps: $0.settings.steps) }).first {
            log.message(warning)
        }
        try log.warn(ofPrompts: request.batch.items, on: session.directory)
        for variant in request.batch.variants where log.warn(of: variant.settings, on: session.directory) { break }
        if execution.dryRun {
            try DryRun(request).print(format: execution.log)
            return
        }
        try SampleJob(request: request, session: session, inFlight: batch.inFlight, log: log).carryOut()
    }

    private static func readMetadata(_ path: String) throws -> ImageMetadata {
        guard FileManager.default.fileExists(atPath: path) else {
            throw PipelineError.missingInput("--like \(path): no such file")
        }
        guard let bytes = try? [UInt8](Data(contentsOf: URL(filePath: path))) else {
            throw PipelineError.inputOutput("--like \(path): cannot be read; check its permissions")
        }
        return try ImageMetadata(png: bytes, path: "--like \(path)")
    }
}
