import ArgumentParser
import Caching
import Compute
import FoundationEssentials
import Models
import Pipeline

/// `omnicache plan`: decides what a run reuses, and writes it to a file.
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Plans which evaluations a run spends; writes the plan to a file and draws it.",
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
            "The file; '-' is standard output. One that holds this very plan is left.", valueName: "file"))
    var output = "plan.json"

    @Option(
        help: ArgumentHelp(
            "Draw the plan to this file too, one row of cells per guidance branch.", valueName: "file"))
    var svg: String?

    @Flag(help: "Replace other files that stand in the way.")
    var force = false

    @Option(help: "How the plan is told.")
    var log: LogFormat = .text

    func run() throws {
        Interruption.install()
        let log = Log(format: log, isQuiet: false, isVerbose: false, keepsOutputFree: output == "-")
        guard svg.map({ !$0.isEmpty && $0 != "-" && $0 != output }) ?? true else {
            throw PipelineError.usage("--svg '\(svg ?? "")': name a file of its own, such as plan.svg")
        }
        let directory = try model.open()
        let settings = sampling.settings(over: directory.defaultSettings, of: directory)
        log.warn(of: settings, on: directory)
        let schedule = try settings.schedule(for: directory)
        guard let request = try cache.request() else {
            throw PipelineError.usage(
                "a plan needs to know how much may be spent; give --budget, such as 0.5, or --mask")
        }
        let session = try ModelSession(directory: directory, options: model, workers: Workers(), log: log)
        let calibration = session.calibration(for: settings, makes: true)
        guard let reuse = try PlanResolver(schedule: schedule, calibration: calibration).resolve(request) else {
            throw PipelineError.usage("a budget of 1 reuses nothing, so there is nothing to plan; give a smaller one")
        }
        if let warning = reuse.warning(steps: settings.steps) { log.message(warning) }
        let file = PlanFile(model: directory.reference(), settings: settings, reuse: reuse)
        try WeightFiles.checkUnchanged()
        let written = output == "-" ? nil : KnownFile(path: output, bytes: file.bytes, replaces: force)
        let drawn = svg.map { KnownFile(path: $0, bytes: file.drawing.bytes, replaces: force) }
        // Neither is written where the other cannot be.
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
    /// The fewest steps at which reuse is worth the while.
    private static let fewSteps = 8

    /// What a person should know who asks for reuse in a run of few steps; nil in others.
    func warning(steps: Int) -> String? {
        guard steps < Self.fewSteps else { return nil }
        return "warning: a run of \(steps) steps has little to reuse, since neighbouring steps differ much; "
            + "compare with fewer steps and no --budget"
    }
}
