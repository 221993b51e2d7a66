import Caching
import Pipeline

/// What `omnicache sample --budget-over batch` does: hard images get more evaluations than the budget, others fewer.
struct GuardedStrategy: ReuseStrategy {
    let name = "guarded"

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> PreparedStrategy {
        let resolver = PlanResolver(
            schedule: RunSchedule(calls: context.calls, branches: context.branches), calibration: context.calibration)
        var request = ReuseRequest(budget: budget)
        request.isOverBatch = true
        guard let reuse = try resolver.resolve(request) else {
            return PreparedStrategy(
                settings: context.settings, evaluations: Double(context.fullEvaluations))
        }
        let type = context.directory.process.predictionType
        return PreparedStrategy(settings: context.settings, mostEvaluations: reuse.mostEvaluations) { base in
            let cache = CachedDenoiser(
                base, predictionType: type, plan: reuse.decisions, forecaster: reuse.forecaster,
                planGuard: reuse.planGuard)
            return (cache, { Double(cache.plan.evaluations) })
        }
    }
}
