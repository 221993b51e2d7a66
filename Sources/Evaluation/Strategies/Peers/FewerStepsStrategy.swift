import Caching
import Pipeline
import Sampling

/// No cache at all: as many steps of a sampler as the evaluations allow.
struct FewerStepsStrategy: ReuseStrategy {
    /// The sampler; nil for the full run's own, with its options.
    let sampler: SamplerKind?

    var name: String { sampler.map { "fewer-steps:\($0.rawValue)" } ?? "fewer-steps" }

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> PreparedStrategy {
        let evaluations = budget.evaluations(of: context.fullEvaluations)
        var settings = context.settings
        if let sampler, sampler != settings.sampler.kind {
            settings.sampler = SamplerOptions(
                sampler, spacing: settings.sampler.spacing, stepsOffset: settings.sampler.stepsOffset)
        }
        func cost(_ steps: Int) throws -> Int {
            var fewer = settings
            fewer.steps = steps
            return try fewer.evaluations(for: context.directory)
        }
        // At least one evaluation a step, so no more steps than evaluations; the spacing may not have as many.
        for steps in stride(from: evaluations, through: 1, by: -1) {
            guard let cost = try? cost(steps), cost <= evaluations else { continue }
            settings.steps = steps
            return PreparedStrategy(
                settings: context.directory.followingScheduler(settings), evaluations: Double(cost))
        }
        throw PlanError.budgetTooSmall(planner: name, smallest: try cost(1), total: context.fullEvaluations)
    }
}
