import Caching
import Pipeline
import Sampling

/// BudCache (arXiv 2606.13496; https://github.com/Westlake-AGI-Lab/BudCache): the full calls for which a search finds the
/// least error of the final latents, each plan measured by sampling with it. The residual of the stack is held between them.
///
/// `budcache+steering` searches the same way, but for the project's forecasters: plans are measured with `spectral`, which
/// costs no evaluation to fit, and the one that is found is sampled with `steering`. Both measure on all calibration images
/// (published: on one), and end after ``BudCacheSearch/mostPlans``. The search for time steps that suit the plan is left out.
struct BudCacheStrategy: ReuseStrategy {
    /// What fills the gaps.
    enum Filling {
        /// The residual of the stack is held.
        case residual
        /// Outputs are forecast.
        case forecast
    }

    let filling: Filling

    var name: String { filling == .residual ? "budcache" : "budcache+steering" }

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> PreparedStrategy {
        let calls = context.calls.count
        let allowed = try context.callBudget(
            budget, reusedBlocks: filling == .residual ? 0 : nil, fewest: 1, name: name)
        guard allowed.full < calls else { return try run(Array(0..<calls), in: context) }
        let runs = try context.recorded()
        let found = try BudCacheSearch(calls: calls, full: allowed.full).best { plan, limit in
            var sum = 0.0
            for run in runs where sum <= limit { sum += try error(plan, of: run, in: context) }
            return sum
        }
        return try run(found, in: context)
    }

    /// The strategy with a plan.
    private func run(_ plan: [Int], in context: StrategyContext) throws -> PreparedStrategy {
        let (stack, full) = (context.network.stack, mask(plan, in: context))
        switch filling {
        case .residual:
            return PreparedStrategy(in: context) { _ in StackResidualCache(stack: stack) { call, _, _ in full[call] } }
        case .forecast:
            let plan = ReusePlan(steps: full, branches: context.branches)
            let isWhole = plan.evaluations == plan.fullEvaluations
            return PreparedStrategy(
                plan: plan,
                forecaster: isWhole ? .hold() : try context.calibration.forecaster(.steering, for: plan), in: context)
        }
    }

    /// The squared error of one calibration image. What comes before the first reused call is replayed.
    private func error(_ plan: [Int], of run: RecordedRun, in context: StrategyContext) throws -> Double {
        let (stack, full) = (context.network.stack, mask(plan, in: context))
        let whole = full.firstIndex(of: false) ?? full.count
        switch filling {
        case .residual:
            let latents = try context.sample(run.item) { base in
                base.interceptor = StackResidualCache(stack: stack) { call, _, _ in full[call] }
                // The last call before has to leave its residual.
                return ReplayDenoiser(base, recording: run, through: whole - 2)
            }
            return latents.squaredDistance(to: run.latents)
        case .forecast:
            let plan = ReusePlan(steps: full, branches: context.branches)
            let forecaster = try context.calibration.forecaster(.spectral, for: plan)
            let latents = try context.sample(run.item) { base in
                CachedDenoiser(
                    ReplayDenoiser(base, recording: run, through: whole - 1),
                    predictionType: context.directory.process.predictionType, plan: plan, forecaster: forecaster)
            }
            return latents.squaredDistance(to: run.latents)
        }
    }

    private func mask(_ plan: [Int], in context: StrategyContext) -> [Bool] {
        context.calls.indices.map(Set(plan).contains)
    }
}
