import ArgumentParser
import Compute
import Evaluation
import Models
import Pipeline

/// `omnicache bench`: measures a model on this machine.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measures a model on this machine, beside what its matrix products can reach.",
        discussion: """
            omnicache bench
            omnicache bench --size XL/2 --forwards
            omnicache bench --size S/2 --profile --log json

            Times every operation of a forward, forwards, a decoding and a short image. Operations are checked against \
            a calculation in double precision first, the others for being the same on all threads as on one. A forward is timed in turns with the list of its own matrix \
            products, bare through OpenBLAS in the split over the threads that is best here: the share tells how near \
            it comes to that. --forwards, --profile and --scaling, alone or together, measure only what they name.
            """)

    @Option(
        help: ArgumentHelp("The model, as in 'omnicache sample'. Default: the embedded model.", valueName: "dir"))
    var model: String?

    @OptionGroup var variant: VariantOption

    @Option(
        help: ArgumentHelp(
            "Instead of a model, a DiT of this published size with random weights, made in memory.",
            discussion: "One of \(BenchmarkSubject.sizeNames.joined(separator: ", ")).", valueName: "size"))
    var size: String?

    @OptionGroup(title: "Decoder options") var decoder: DecoderOptions

    @Flag(help: "Only forwards, and their share of the sgemm rate.")
    var forwards = false

    @Flag(help: "Only where a forward's time goes.")
    var profile = false

    @Flag(help: "Only how cost grows with images and tokens.")
    var scaling = false

    @Flag(
        help: ArgumentHelp(
            "Only forwards that are asked for, one by one, so that another program can be timed in turns with this one.",
            discussion: """
                Each line of standard input is a JSON object with any of branches (2 or 1), call (of a run of \
                \(ForwardService.steps) steps), class, latents and output (safetensors files). Each is answered by a \
                line with the forward's seconds, until standard input ends.
                """))
    var onRequest = false

    @Option(help: ArgumentHelp("How often each thing is timed.", valueName: "n"))
    var repeats = 15

    @Option(
        name: .shortAndLong, parsing: .unconditional,
        help: ArgumentHelp("How many threads to use. Default: all processors.", valueName: "n"))
    var threads: Int?

    @Option(help: "How the results are told.")
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
        try tell(report)
    }

    /// The threads that were asked for, as far as there is memory for them.
    func workers(for subject: BenchmarkSubject) throws -> Workers {
        let asked = try RunOptions.workers(threads: threads)
        return Workers(
            count: min(
                asked.count,
                try BLAS.reserve(
                    threads: asked.count, leaving: 0, each: subject.config.guidedRunBytes,
                    for: "measuring \(subject.name)")))
    }

    func subject() throws -> BenchmarkSubject {
        try BLAS.open()
        guard let size else {
            return try BenchmarkSubject(
                directory: ModelDirectory(path: ModelLocator().locate(model), variant: variant.variant),
                decoder: decoder.choice)
        }
        guard model == nil, variant.variant == nil, decoder.decoder == nil else {
            throw PipelineError.usage("--size \(size): has no directory; leave out --model, --variant and --decoder")
        }
        return try BenchmarkSubject(size: size)
    }

    private func tell(_ report: BenchmarkReport) throws {
        switch log {
        case .text:
            try Terminal.standardOutput.writeResult(report.text)
        case .json:
            try Terminal.standardOutput.writeResult(json: report)
        }
    }
}
