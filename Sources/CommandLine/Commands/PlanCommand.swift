import ArgumentParser
import Caching
import Compute
import FoundationEssentials
import Models
import Pipeline

/// `omnicache plan`: plans what a run reuses, and writes the plan to a file.
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Plans which evaluations a run spends, and writes the plan to a file.",
        discussion: """
            omnicache plan --steps 50 --budget 0.5 -o half.json --svg half.svg
            omnicache sample --plan half.json --class face-smiling
            """)

    @OptionGroup(title: "Model options") var model: ModelOptions
    @OptionGroup(title: "Sampling options") var sampling: SamplingOptions
    @OptionGroup(title: "Cache options") var cache: CacheOptions

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The file; '-' is standard output. An identical file is skipped.", valueName: "file"))
    var output = "plan.json"

    @Option(
        help: ArgumentHelp(
            "Draw the plan to this SVG file, too: a row of cells per guidance branch.", valueName: "file"))
    var svg: String?

    @Flag(help: "Overwrite existing files.")
    var force = false

    @Option(help: "The format of progress and results.")
    var log: LogFormat = .text

    func run() throws {
        Interruption.install()
        let log = Log(format: log, isQuiet: false, isVerbose: false, keepsOutputFree: output == "-")
        guard svg.map({ !$0.isEmpty && $0 != "-" && $0 != output }) ?? true else {
            throw PipelineError.usage("--svg '\(svg ?? "")': give another file, such as plan.svg")
        }
        let directory = try model.open()
        let settings = try sampling.settings(
            over: directory.defaultSettings.computed(by: model.engine.arithmetic(log: log)), of: directory)
        log.warn(of: settings, on: directory)
        let schedule = try settings.schedule(for: directory)
        guard cache.given != nil else {
            throw PipelineError.usage(
                "a plan needs a budget or a mask; give --budget, such as 0.5, or --mask")
        }
        let session = try ModelSession(
            directory: directory, options: model, arithmetic: settings.arithmetic, workers: Workers(), log: log)
        let calibration = session.calibration(for: settings, makes: true)
        let options = try cache.settled(
            in: session, settings: settings, calibration: calibration, decoder: directory.decoder(.own))
        guard let request = try options.request() else { preconditionFailure("an option was given") }
        guard let reuse = try PlanResolver(schedule: schedule, calibration: calibration).resolve(request) else {
            throw PipelineError.usage(
                cache.goal == nil
                    ? "a budget of 1 reuses nothing; give a smaller budget"
                    : "there is nothing to plan: a full run is what was asked for; ask for less time, or less quality")
        }
        if let warning = reuse.warning(steps: settings.steps) { log.message(warning) }
        let file = PlanFile(model: directory.reference(), settings: settings, reuse: reuse)
        try WeightFiles.checkUnchanged()
        let written = output == "-" ? nil : KnownFile(path: output, bytes: file.bytes, replaces: force)
        let drawn = svg.map { KnownFile(path: $0, bytes: file.drawing.bytes, replaces: force) }
        // Neither is written if the other cannot be.
        for one in [written, drawn] { _ = try one?.standing() }
        for one in [written, drawn] { try one?.write() }
        guard written != nil else { return try Terminal.standardOutput.writeAll(file.bytes) }
        switch self.log {
        case .text:
            let paths = [written, drawn].compactMap { $0?.path }.map { $0 + "\n" }.joined()
            try Terminal.standardOutput.writeResult("\(reuse.decisions)\n\(reuse.summary)\n\(paths)")
        case .json:
            try log.result(
                Log.Event(
                    event: "plan", file: output, evaluations: reuse.evaluations,
                    evaluationsFull: schedule.evaluations, plan: reuse.decisions))
            if let svg { try log.result(Log.Event(event: "drawing", file: svg)) }
        }
    }
}

extension ReuseRecord {
    /// The fewest steps at which reuse is worthwhile.
    private static let fewSteps = 8

    /// A warning against reuse in a run of few steps; nil for other runs.
    func warning(steps: Int) -> String? {
        guard steps < Self.fewSteps else { return nil }
        return
            "warning: \(steps) steps leave little to reuse, because neighbouring steps differ a lot; fewer steps without "
            + "--budget may be better"
    }
}
