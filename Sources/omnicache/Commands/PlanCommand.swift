import ArgumentParser
import FoundationEssentials
import OmniCache
import Pipeline
import Tensor

/// `omnicache plan`: decides what a run reuses, and writes it to a file.
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Plans which evaluations a run spends, and writes the plan to a file.",
        discussion: """
            omnicache plan --steps 50 --budget 0.5 -o half.json
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

    @Flag(help: "Replace another file that stands in the way.")
    var force = false

    @Option(help: "How the plan is told.")
    var log: LogFormat = .text

    func run() throws {
        Interruption.install()
        let log = Log(format: log, isQuiet: false, isVerbose: false, keepsOutputFree: output == "-")
        let directory = try model.open()
        let settings = sampling.settings(over: directory.defaultSettings)
        let schedule = try settings.schedule(for: directory)
        guard let request = try cache.request() else {
            throw PipelineError.usage(
                "a plan needs to know how much may be spent; give --budget, such as 0.5, or --mask")
        }
        let session = ModelSession(directory: directory, workers: Workers(), log: log)
        let calibration = session.calibration(for: settings, makes: true)
        guard let reuse = try PlanResolver(schedule: schedule, calibration: calibration).resolve(request) else {
            throw PipelineError.usage("a budget of 1 reuses nothing, so there is nothing to plan; give a smaller one")
        }
        if let warning = reuse.warning(steps: settings.steps) { log.message(warning) }
        let file = PlanFile(model: directory.reference(), settings: settings, reuse: reuse)
        guard output != "-" else { return try Terminal.standardOutput.writeAll(file.bytes) }
        try file.write(to: output, replaces: force)
        switch self.log {
        case .text:
            try Terminal.standardOutput.writeResult("\(reuse.decisions)\n\(reuse.summary)\n\(output)\n")
        case .json:
            try log.result(
                Log.Event(
                    event: "plan", file: output, evaluations: reuse.evaluations,
                    evaluationsFull: schedule.evaluations, plan: reuse.decisions))
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
