import Caching
import Pipeline
import Sampling

/// A way to spend a budget, as `compare` and `sample` use it.
public protocol ReuseStrategy: Sendable {
    /// The name on the command line.
    var name: String { get }

    /// Makes ready to sample any image within `budget`: calibrates and solves thresholds.
    ///
    /// - Throws: ``PlanError/budgetTooSmall(planner:smallest:total:)`` where the strategy's rules need more; what keeps
    ///   calibration images from being sampled.
    func prepare(_ budget: Budget, in context: StrategyContext) throws -> any PreparedStrategy
}

/// A strategy with its budget, for any number of images.
public protocol PreparedStrategy: AnyObject {
    /// The settings to sample with: the full run's, except for strategies that take fewer steps.
    var settings: SampleSettings { get }

    /// Puts the strategy around the model of one image; nothing is left of the image before.
    func wrap(_ base: NetworkDenoiser) -> any Denoiser

    /// What the last image has cost so far, in evaluations; partial work is priced by its operations.
    var evaluationsSpent: Double { get }
}
