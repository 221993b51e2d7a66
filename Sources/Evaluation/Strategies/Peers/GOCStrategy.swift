import Caching
import Sampling

/// Gradient-Optimized Cache (Qiu et al., arXiv 2503.05156): at even distances, and at chosen calls the held output goes on
/// by 1.2 times the difference of the last two full outputs.
///
/// Our reading of "chosen": those at which the calibration images come nearer to their own outputs with it than without.
struct GOCStrategy: ReuseStrategy {
    let name = "goc"
    /// What the output is taken as.
    var quantity = ForecastQuantity.velocity

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> PreparedStrategy {
        let (calls, branches) = (context.calls.count, context.branches)
        let allowed = try context.callBudget(budget, reusedBlocks: nil, fewest: 1, name: name)
        let plan = ReusePlan(steps: SpacedCalls.full(calls: calls, full: allowed.full), branches: branches)
        let series = allowed.full < calls ? try OutputSeries(context, quantity: quantity) : nil
        func forecaster(_ applies: [Bool]) -> Forecaster { Forecaster(GradientRule(applies: applies), of: quantity) }
        let gradient = forecaster(Array(repeating: true, count: calls))
        let hold = forecaster(Array(repeating: false, count: calls))
        let applies = (0..<calls).map { call in
            guard let series, !plan.isFull(.conditional, at: call) else { return false }
            return series.error(of: gradient, plan: plan, at: call) < series.error(of: hold, plan: plan, at: call)
        }
        return PreparedStrategy(plan: plan, forecaster: forecaster(applies), in: context)
    }
}

/// f + 1.2 (f − f'), f and f' the last two full outputs, at some calls; f at the others.
struct GradientRule: ForecastRule {
    static let kinds = ["goc"]
    private static let factor = 1.2

    /// Whether the difference is added, by call.
    let applies: [Bool]
    var depth: Int { 2 }

    func terms(
        for branch: GuidanceBranches, at call: Int, of calls: [ModelCall], history: OutputHistory
    ) -> [ForecastTerm] {
        let known = history.calls(of: branch)
        guard applies[call], known.count > 1 else {
            return [ForecastTerm(branch: branch, call: known[0], weight: 1)]
        }
        return [
            ForecastTerm(branch: branch, call: known[0], weight: 1 + Self.factor),
            ForecastTerm(branch: branch, call: known[1], weight: -Self.factor),
        ]
    }
}
