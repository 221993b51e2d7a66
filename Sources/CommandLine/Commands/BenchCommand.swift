import ArgumentParser
import Compute
import Evaluation
import Models
import Pipeline

/// `omnicache bench`: measures the speed of a model on this machine.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measures the speed of a model on this machine.",
        discussion: """
            omnicache bench
            omnicache bench --size XL/2 --forwards
            omnicache bench --size S/2 --profile --log json

            Times every operation of a forward pass, whole forward passes, a decoding and a short image. Operations are \
            first checked against a calculation in double precision; the others must give the same result on any number \
            of threads.

            A forward pass is timed in turns with its bare matrix products through its engine. Its share says how close it \
            comes to their speed. --forwards, --profile and --scaling restrict the benchmark to what they name.
            """)

    @Option(
        help: ArgumentHelp("The model, as in 'omnicache sample'. Default: the embedded model.", valueName: "dir"))
    var model: String?

    @OptionGroup var variant: VariantOption

    @Option(
        help: ArgumentHelp(
            "Measure a DiT of this published size with random weights instead of a model.",
            discussion: "One of \(BenchmarkSubject.sizeNames.joined(separator: ", ")).", valueName: "size"))
    var size: String?

    @OptionGroup(title: "Decoder options") var decoder: DecoderOptions
    @OptionGroup var engine: EngineOptions

    @Flag(help: "Only forward passes, and their share of the speed of bare matrix products.")
    var forwards = false

    @Flag(help: "Only how a forward pass spends its time.")
    var profile = false

    @Flag(help: "Only how the cost grows with images and tokens.")
    var scaling = false

    @Flag(
        help: ArgumentHelp(
            "Time single forward passes on request, so that another program can take turns.",
            discussion: """
                Each line of standard input is a request: a JSON object that may have branches (1 or 2), call (in a run \
                of \(ForwardService.steps) steps), class, latents and output (safetensors files). Each gets one line with \
                the seconds of the forward pass.
                """))
    var onRequest = false

    @Option(help: ArgumentHelp("How often to time each measurement.", valueName: "n"))
    var repeats = 15

    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: ArgumentHelp("How many threads to use. Default: one for each processor.", valueName: "n"))
    var threads: Int?

    @Option(help: "The format of the results.")
    var log: LogFormat = .text

    func run() throws {
        guard (1...10_000).contains(repeats) else {
            throw PipelineError.usage("--repeats \(repeats): give a number from 1 to 10000")
        }
        guard !onRequest else { return try answerRequests() }
        let subject = try subject()
        let benchmark = Benchmark(subject: subject, workers: try workers(for: subject), repeats: repeats)
        let isWhole = !(forwards || profile || scaling)
        var report = benchmark.emptyReport
        if isWhole { report.operations = try benchmark.operations() }
        if isWhole || forwards { report.forwards = try benchmark.forwards() }
        if isWhole { report.timings = try benchmark.timings() }
        if profile { report.profile = try benchmark.profile() }
        if scaling { report.scaling = try benchmark.scaling() }
        try print(report)
    }

    /// The threads that were asked for, or fewer if memory is short.
    private func workers(for subject: BenchmarkSubject) throws -> Workers {
        let asked = try RunOptions.workers(threads: threads)
        return Workers(
            count: min(
                asked.count,
                try BLAS.reserve(
                    threads: asked.count, leaving: 0, each: subject.config.guidedRunBytes,
                    for: "measuring \(subject.name)")))
    }

    private func subject() throws -> BenchmarkSubject {
        let engine = try engine.arithmetic(
            log: Log(format: log, isQuiet: false, isVerbose: false, keepsOutputFree: false)
        ).open()
        guard let size else {
            return try BenchmarkSubject(
                directory: ModelDirectory(path: ModelLocator().locate(model), variant: variant.variant),
                decoder: decoder.choice, engine: engine)
        }
        guard model == nil, variant.variant == nil, decoder.decoder == nil else {
            throw PipelineError.usage("--size \(size) excludes --model, --variant and --decoder; drop them")
        }
        return try BenchmarkSubject(size: size, engine: engine)
    }

    private func print(_ report: BenchmarkReport) throws {
        switch log {
        case .text:
            try Terminal.standardOutput.writeResult(report.text)
        case .json:
            try Terminal.standardOutput.writeResult(json: report)
        }
    }

    /// Answers the requests on standard input until it ends.
    private func answerRequests() throws {
        guard !(forwards || profile || scaling) else {
            throw PipelineError.usage("--on-request excludes --forwards, --profile and --scaling; drop them")
        }
        let subject = try subject()
        let service = try ForwardService(subject: subject, workers: workers(for: subject))
        var number = 0
        while let line = readLine() {
            number += 1
            try Terminal.standardOutput.writeResult(json: service.answer(line: line, number: number))
        }
    }
}
