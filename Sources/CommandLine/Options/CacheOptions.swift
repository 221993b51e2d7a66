import ArgumentParser
import Caching
import Pipeline

/// What is reused, and how.
struct CacheOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The share of network evaluations to spend, such as 0.5 or 50%. Default: 1, which reuses nothing.",
            valueName: "b"))
    var budget: Share?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Choose the smallest budget that keeps this PSNR for 95 % of images, as 'calibrate --curve' measured it.",
            valueName: "dB"))
    var quality: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Choose the largest budget that takes at most this time an image, such as 3s.", valueName: "time"))
    var time: TimeSpan?

    @Option(
        help: ArgumentHelp(
            "How to choose what to evaluate. Default: as calibrate has found best, else "
                + "\(PlanResolver.defaultPlanner.rawValue)."
        ))
    var planner: PlannerKind?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Choose by hand: 1 (or F) for each model call to evaluate, 0 (or R) for each to reuse.",
            discussion: "Commas may separate them. A '/' separates the conditional branch from the unconditional one.",
            valueName: "mask"))
    var mask: String?

    @Option(
        help: ArgumentHelp(
            "How to fill in reused outputs: \(ForecasterChoice.names.joined(separator: ", ")).",
            discussion: """
                With parameters: \(Forecaster.usages.map { "\($0.name):\($0.parameters)" }.joined(separator: ", ")). \
                QUANTITY is epsilon, x0 or v; VARIABLE is step, timestep or log-snr.
                """, valueName: "name"))
    var forecaster: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Reuse only in this part of the run, such as 0.1:0.9.", valueName: "start:end"))
    var reuseWindow: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Reuse at most this many model calls in a row.", valueName: "n"))
    var maxReuseRun: Int?

    /// The first of the options that was given; nil if none was.
    var given: String? {
        let options = [
            ("--budget", budget != nil), ("--quality", quality != nil), ("--time", time != nil),
            ("--planner", planner != nil), ("--mask", mask != nil),
            ("--forecaster", forecaster != nil), ("--reuse-window", reuseWindow != nil),
            ("--max-reuse-run", maxReuseRun != nil),
        ]
        return options.first { $0.1 }?.0
    }

    /// These options over those of `base`.
    func over(_ base: CacheOptions) -> CacheOptions {
        var options = base
        // A mask and a planner exclude each other, so one replaces the other.
        if mask != nil { options.planner = nil }
        if planner != nil { options.mask = nil }
        // So do the ways to say how much.
        if goal != nil { options.budget = nil }
        if budget != nil || goal != nil { (options.quality, options.time) = (quality, time) }
        options.budget = budget ?? options.budget
        options.planner = planner ?? options.planner
        options.mask = mask ?? options.mask
        options.forecaster = forecaster ?? options.forecaster
        options.reuseWindow = reuseWindow ?? options.reuseWindow
        options.maxReuseRun = maxReuseRun ?? options.maxReuseRun
        return options
    }

    /// What the budget is to be chosen for; nil where it is given, or not asked for.
    var goal: BudgetGoal? { quality.map { .quality($0) } ?? time.map { .time($0.duration / .seconds(1)) } }

    /// The same with the budget that was chosen for ``goal``.
    func with(budget: Budget) -> CacheOptions {
        var options = self
        (options.budget, options.quality, options.time) = (Share(budget.share), nil, nil)
        return options
    }

    /// Refuses what cannot be had at once with ``goal``.
    func checkGoal() throws {
        let given = [
            quality != nil ? "--quality" : nil, time != nil ? "--time" : nil, budget != nil ? "--budget" : nil,
            mask != nil ? "--mask" : nil,
        ].compactMap(\.self)
        guard given.count < 2 || goal == nil else {
            throw PipelineError.usage("\(given[0]) and \(given[1]) both say how much to evaluate; drop one")
        }
    }

    /// What was asked for.
    ///
    /// - Parameter inherited: gives the budget and the planner where none is given.
    /// - Returns: nil if no option was given.
    /// - Throws: `PlanError` or `PipelineError.usage` for numbers out of range and options that exclude each other.
    func request(inheriting inherited: ReuseRecord? = nil) throws -> ReuseRequest? {
        guard let given else { return nil }
        let budget = try budget.map { try Budget($0.value) }
        if mask != nil, let planner {
            throw PipelineError.usage("--mask and --planner \(planner.rawValue) both choose the evaluations; drop one")
        }
        guard mask != nil || budget ?? inherited?.budget != nil else {
            throw PipelineError.usage("\(given) needs a budget; give --budget, such as 0.5")
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
            throw PipelineError.usage(
                "--reuse-window \(text): give the start and the end as shares of the run, such as 0.1:0.9")
        }
        return try ReuseLimits(window: start...end, longestReuse: maxReuseRun)
    }
}

extension PlannerKind: ExpressibleByArgument {}
