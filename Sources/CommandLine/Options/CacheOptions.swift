import ArgumentParser
import Caching
import Pipeline

/// What is reused, and how.
struct CacheOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The share of the model's evaluations to spend, such as 0.5 or 50%. Default: 1, which reuses nothing.",
            valueName: "b"))
    var budget: Share?

    @Option(
        help: ArgumentHelp(
            "What decides which evaluations are spent. Default: \(PlanResolver.defaultPlanner.rawValue)."))
    var planner: PlannerKind?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Decide by hand: 1 (or F) for each model call that is evaluated, 0 (or R) for each that is reused.",
            discussion: "Commas may part them, and '/' the conditional branch's row from the unconditional one's.",
            valueName: "mask"))
    var mask: String?

    @Option(
        help: ArgumentHelp(
            "What fills the gaps: \(ForecasterChoice.names.joined(separator: ", ")).",
            discussion: """
                With parameters: \(Forecaster.usages.map { "\($0.name):\($0.parameters)" }.joined(separator: ", ")); \
                orders from 1 to 4, quantity epsilon, x0 or v, variable step, timestep or log-snr.
                """, valueName: "name"))
    var forecaster: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Reuse only within these shares of the run, such as 0.1:0.9.", valueName: "start:end"))
    var reuseWindow: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Reuse at most this many model calls in a row.", valueName: "n"))
    var maxReuseRun: Int?

    /// The first of the options that was given; nil if none was.
    var given: String? {
        let options = [
            ("--budget", budget != nil), ("--planner", planner != nil), ("--mask", mask != nil),
            ("--forecaster", forecaster != nil), ("--reuse-window", reuseWindow != nil),
            ("--max-reuse-run", maxReuseRun != nil),
        ]
        return options.first { $0.1 }?.0
    }

    /// These options, and those of `base` where they say nothing.
    func over(_ base: CacheOptions) -> CacheOptions {
        var options = base
        // A mask and a planner exclude each other, so that one of them takes the other's place.
        if mask != nil { options.planner = nil }
        if planner != nil { options.mask = nil }
        options.budget = budget ?? options.budget
        options.planner = planner ?? options.planner
        options.mask = mask ?? options.mask
        options.forecaster = forecaster ?? options.forecaster
        options.reuseWindow = reuseWindow ?? options.reuseWindow
        options.maxReuseRun = maxReuseRun ?? options.maxReuseRun
        return options
    }

    /// What is asked for.
    ///
    /// - Parameter inherited: gives the budget and the planner where none is given.
    /// - Returns: nil if no option was given.
    /// - Throws: `PlanError` or `PipelineError.usage` for numbers and combinations that make no sense.
    func request(inheriting inherited: ReuseRecord? = nil) throws -> ReuseRequest? {
        guard let given else { return nil }
        let budget = try budget.map { try Budget($0.value) }
        if mask != nil, let planner {
            throw PipelineError.usage("--mask leaves nothing to decide for --planner \(planner.rawValue); drop one")
        }
        guard mask != nil || budget ?? inherited?.budget != nil else {
            throw PipelineError.usage("\(given) says how to reuse, but not how much; give --budget, such as 0.5")
        }
        return ReuseRequest(
            budget: budget ?? (mask == nil ? inherited?.budget : nil), mask: mask,
            planner: planner ?? (mask == nil ? inherited.flatMap { PlannerKind(rawValue: $0.planner) } : nil),
            forecaster: try forecaster.map(ForecasterChoice.init), limits: try limits())
    }

    private func limits() throws -> ReuseLimits {
        guard let text = reuseWindow else { return try ReuseLimits(window: 0...1, longestReuse: maxReuseRun) }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map {
            Share(argument: String($0))?.value
        }
        guard parts.count == 2, let start = parts[0], let end = parts[1], start <= end else {
            throw PipelineError.usage("--reuse-window \(text): give two shares of the run, such as 0.1:0.9")
        }
        return try ReuseLimits(window: start...end, longestReuse: maxReuseRun)
    }
}

extension PlannerKind: ExpressibleByArgument {}
