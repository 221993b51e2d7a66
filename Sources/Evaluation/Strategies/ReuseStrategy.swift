import Caching
import Models
import Pipeline
import Sampling

/// A way to spend a budget, as `compare` uses it.
public protocol ReuseStrategy: Sendable {
    /// The name on the command line.
    var name: String { get }

    /// Makes ready to sample any image within `budget`: calibrates and solves thresholds.
    ///
    /// - Throws: ``PlanError/budgetTooSmall(planner:smallest:total:)`` where the strategy's rules need more; what keeps
    ///   calibration images from being sampled.
    func prepare(_ budget: Budget, in context: StrategyContext) throws -> PreparedStrategy
}

/// A strategy with its budget, for any number of images.
public final class PreparedStrategy {
    /// The settings to sample with: the full run's, except for strategies that take fewer steps.
    public let settings: SampleSettings
    /// What is evaluated when; nil for a strategy that decides during the run, or inside the network.
    public let plan: ReusePlan?
    /// What one image may cost where the budget is a mean over images; nil where it is every image's.
    let mostEvaluations: Int?

    private let start: (NetworkDenoiser) -> (denoiser: any Denoiser, spent: () -> Double)
    private var spent: () -> Double

    /// A strategy that counts what it spends.
    ///
    /// - Parameters:
    ///   - settings: The settings to sample with.
    ///   - mostEvaluations: What one image may cost where the budget is a mean over images.
    ///   - start: Makes the denoiser of one image, and says what the image has cost so far, in evaluations.
    init(
        settings: SampleSettings, mostEvaluations: Int? = nil,
        start: @escaping (NetworkDenoiser) -> (denoiser: any Denoiser, spent: () -> Double)
    ) {
        self.settings = settings
        self.start = start
        self.mostEvaluations = mostEvaluations
        plan = nil
        spent = { 0 }
    }

    /// A strategy of which every image costs the same.
    public init(
        settings: SampleSettings, plan: ReusePlan? = nil, evaluations: Double,
        wrap: @escaping (NetworkDenoiser) -> any Denoiser = { $0 }
    ) {
        self.settings = settings
        self.plan = plan
        mostEvaluations = nil
        start = { (wrap($0), { evaluations }) }
        spent = { evaluations }
    }

    /// One plan for every image, whose gaps are filled with forecasts of whole outputs.
    convenience init(plan: ReusePlan, forecaster: Forecaster, in context: StrategyContext) {
        let type = context.directory.process.predictionType
        self.init(settings: context.settings, plan: plan, evaluations: Double(plan.evaluations)) {
            CachedDenoiser($0, predictionType: type, plan: plan, forecaster: forecaster)
        }
    }

    /// A cache inside the network.
    ///
    /// - Parameters:
    ///   - context: Where the strategy is prepared.
    ///   - cache: Makes the cache of one image; it must not keep the denoiser alive, which keeps it.
    convenience init(in context: StrategyContext, cache: @escaping (NetworkDenoiser) -> any SiteInterceptor) {
        let (price, network) = (context.price, context.network)
        self.init(settings: context.settings) { base in
            let meter = WorkMeter(cache(base), price: price, network: network)
            base.interceptor = meter
            return (base, { price.evaluations(meter.work) })
        }
    }

    /// Puts the strategy around the model of one image; nothing is left of the image before.
    public func wrap(_ base: NetworkDenoiser) -> any Denoiser {
        let (denoiser, spent) = start(base)
        self.spent = spent
        return denoiser
    }

    /// What the last image has cost so far, in evaluations; partial work is priced by its operations.
    public var evaluationsSpent: Double { spent() }
}

/// One of the project's own combinations: a planner that decides before the run, a forecaster that fills the gaps.
public struct PlannedStrategy: ReuseStrategy {
    public let name: String
    /// What decides; nil for the default.
    let planner: PlannerKind?
    /// What fills the gaps; nil for the default.
    let forecaster: ForecasterChoice?

    /// What `omnicache sample --budget` does.
    static let standard = PlannedStrategy()

    private init() {
        (name, planner, forecaster) = ("default", nil, nil)
    }

    /// Joins a planner and a calibrated forecaster.
    init(planner: PlannerKind, forecaster: ForecasterChoice.CalibratedForecaster) {
        name = "\(planner.rawValue)+\(forecaster.rawValue)"
        self.planner = planner
        self.forecaster = .calibrated(forecaster)
    }

    /// Reads `PLANNER+FORECASTER`, such as `path+steering` or `uniform+taylor:2`, or `default`; nil when one of the two
    /// does not exist.
    public init?(_ text: String) {
        if text == Self.standard.name {
            self = .standard
            return
        }
        let parts = text.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let planner = PlannerKind(rawValue: parts[0]),
            let forecaster = try? ForecasterChoice(parts[1])
        else { return nil }
        name = text
        self.planner = planner
        self.forecaster = forecaster
    }

    public func prepare(_ budget: Budget, in context: StrategyContext) throws -> PreparedStrategy {
        let resolver = PlanResolver(
            schedule: RunSchedule(calls: context.calls, branches: context.branches), calibration: context.calibration)
        let reuse = try resolver.resolve(ReuseRequest(budget: budget, planner: planner, forecaster: forecaster))
        return PreparedStrategy(
            plan: reuse?.decisions ?? .full(calls: context.calls.count, branches: context.branches),
            forecaster: reuse?.forecaster ?? .hold(), in: context)
    }
}
