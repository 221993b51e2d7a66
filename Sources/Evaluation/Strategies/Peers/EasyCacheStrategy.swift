import Caching
import Pipeline
import Sampling

/// EasyCache (Zhou et al., arXiv 2507.02860): reuses the output minus the input until the change that the input's suggests
/// has added up to a threshold; the first ten of 50 calls and the last one are full.
///
/// The threshold is solved from the budget; published as 0.05.
struct EasyCacheStrategy: ReuseStrategy {
    let name = "easycache"
    /// What the output is taken as; published for flows, whose output is the velocity.
    var quantity = ForecastQuantity.velocity

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> any PreparedStrategy {
        let allowed = try context.callBudget(budget, reusedBlocks: nil, fewest: 2, name: name)
        let calls = context.calls.count
        let warmUp = OnlineSchedule.warmUp(calls / 5, full: allowed.full)
        func run(_ threshold: Double, full: Int?) -> EasyCacheRun {
            EasyCacheRun(
                threshold: threshold, quantity: quantity,
                schedule: OnlineSchedule(calls: calls, full: full, warmUp: warmUp, keepsLast: true), in: context)
        }
        let threshold = try context.threshold(from: 0.05, within: allowed) { run($0, full: nil) }
        return run(threshold, full: allowed.full)
    }
}

/// EasyCache with its threshold.
private final class EasyCacheRun: PreparedStrategy {
    let settings: SampleSettings

    private let threshold: Double
    private let quantity: ForecastQuantity
    private let schedule: OnlineSchedule
    private let predictionType: PredictionType
    private var denoiser: EasyCacheDenoiser?

    init(threshold: Double, quantity: ForecastQuantity, schedule: OnlineSchedule, in context: StrategyContext) {
        settings = context.settings
        self.threshold = threshold
        self.quantity = quantity
        self.schedule = schedule
        predictionType = context.directory.process.predictionType
    }

    func wrap(_ base: NetworkDenoiser) -> any Denoiser {
        let denoiser = EasyCacheDenoiser(
            base, predictionType: predictionType, quantity: quantity, threshold: threshold, schedule: schedule)
        self.denoiser = denoiser
        return denoiser
    }

    var evaluationsSpent: Double { Double(denoiser?.evaluations ?? 0) }
}
