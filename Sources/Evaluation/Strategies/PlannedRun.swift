import Caching
import Pipeline
import Sampling

/// A strategy that follows one plan for every image and forecasts whole outputs.
public final class PlannedRun: PreparedStrategy {
    public let settings: SampleSettings
    /// The plan.
    public let plan: ReusePlan
    /// What fills the gaps.
    public let forecaster: Forecaster

    private let predictionType: PredictionType

    /// Joins a plan with what fills its gaps.
    public init(plan: ReusePlan, forecaster: Forecaster, in context: StrategyContext) {
        self.plan = plan
        self.forecaster = forecaster
        settings = context.settings
        predictionType = context.directory.process.predictionType
    }

    public func wrap(_ base: NetworkDenoiser) -> any Denoiser {
        CachedDenoiser(base, predictionType: predictionType, plan: plan, forecaster: forecaster)
    }

    public var evaluationsSpent: Double { Double(plan.evaluations) }
}
