import Caching
import Glibc
import Sampling

/// A path planner's plan for the images that it serves worst.
///
/// The path planner minimises a mean over images, and most images are easy. Here every image has a cost of its own, from
/// its own run and its own gain, and those that a plan serves badly count more in the next, until no plan does better for
/// all but the worst of them (multiplicative weights; Freund and Schapire, "Adaptive game playing using multiplicative
/// weights", Games and Economic Behavior 29, 1999).
struct RobustPlan {
    /// The share of images whose costs are to be low.
    static let quantile = 0.9
    /// The plans that are made; later ones hardly differ.
    static let rounds = 8
    /// The power of an image's cost that its weight grows by.
    private static let rate = 0.5

    private let calibrator: Calibrator
    private let measurement: Calibrator.Measurement
    private let images: [Int]
    private let quantity: ForecastQuantity

    /// For these images of a measurement, by their places.
    init(
        calibrator: Calibrator, measurement: Calibrator.Measurement, images: [Int], quantity: ForecastQuantity
    ) {
        self.calibrator = calibrator
        self.measurement = measurement
        self.images = images
        self.quantity = quantity
    }

    /// The plan whose expected relative error at the quantile of the images is least.
    ///
    /// - Throws: ``PlanError/budgetTooSmall(planner:smallest:total:)``.
    func plan(_ request: PlanRequest) throws -> ReusePlan {
        let costs = images.map { image in
            PlanCost(
                calibrator.calibration(from: measurement, images: [image], as: quantity), objective: .image,
                calls: request.calls)
        }
        let norms = images.map { measurement.references[$0].finalLatents.squaredNorm }
        var weights = images.map { _ in 1.0 }
        var best: (plan: ReusePlan, error: Double)?
        for _ in 0..<Self.rounds {
            let calibration = calibrator.calibration(
                from: measurement, images: images, weights: weights, as: quantity)
            let plan = try PathPlanner(calibration: calibration).plan(request)
            let errors = zip(costs, norms).map { log(max($0.cost(of: plan) / $1, .leastNormalMagnitude)) }
            let ranked = errors.sorted()
            let high = ranked[Int((Self.quantile * Double(ranked.count - 1)).rounded(.up))]
            let median = ranked[ranked.count / 2]
            if high < best?.error ?? .infinity { best = (plan, high) }
            // What is above the quantile may be lost, so it counts no more than the quantile itself.
            weights = zip(weights, errors).map { $0 * exp(Self.rate * (min($1, high) - median)) }
            let mean = weights.reduce(0, +) / Double(weights.count)
            weights = weights.map { $0 / mean }
        }
        guard let best else { preconditionFailure("there is a round") }
        return best.plan
    }
}
