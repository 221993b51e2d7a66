import Caching
import Compute
import Models

/// FoCa (Zheng et al., arXiv 2508.16211): every layer's output is carried on as the solution of an ordinary differential
/// equation, by a BDF2 predictor and Heun's corrector, between evenly spaced full calls.
///
/// Published for at most three reused calls in a row. Where the budget makes for more, the last forecast is held after the
/// third, or forecasting goes on, whichever brings the calibration images nearer to their full runs.
struct FoCaStrategy: ReuseStrategy {
    let name = "foca"

    private static let warmUp = 2
    private static let horizon = 3

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> PreparedStrategy {
        let (calls, network) = (context.calls.count, context.network)
        let allowed = try context.callBudget(budget, reusedBlocks: 0, fewest: 1, name: name)
        let full = SpacedCalls.full(calls: calls, full: allowed.full, warmUp: Self.warmUp)
        let schedule = network.schedule(full)
        let longest = full.split(separator: true).map(\.count).max() ?? 0
        return try context.best(of: longest > Self.horizon ? [Self.horizon, calls] : [Self.horizon]) { horizon in
            PreparedStrategy(in: context) { _ in
                LayerForecastCache(schedule, network: network) { FoCaFeature(horizon: horizon, shape: $0.shape) }
            }
        }.strategy
    }
}

/// A feature of one layer and branch, as FoCa carries it on from call to call.
///
/// BDF2 over a step of one call, with the change f of the last call as the derivative, predicts 4/3 F − 1/3 F' + 2/3 f =
/// F + f. Heun's corrector takes the mean of that change and of the change per call between the last two full calls: F +
/// (f + g)/2, which is the next call's F. So the forecasts bend back to the line through the full calls.
final class FoCaFeature: FeatureForecast {
    private let horizon: Int
    private let newest: Tensor  // F, evaluated or forecast
    private let change: Tensor  // f, from the call before
    private let full: Tensor  // at the last full call
    private let fullChange: Tensor  // g, per call
    private var fullCall: Int?

    /// - Parameters:
    ///   - horizon: How many calls after a full one are forecast; later ones hold the last forecast.
    ///   - shape: The feature's shape.
    init(horizon: Int, shape: [Int]) {
        self.horizon = horizon
        (newest, change, full, fullChange) = (Tensor(shape), Tensor(shape), Tensor(shape), Tensor(shape))
    }

    func keep(_ value: UnsafeBufferPointer<Float>, at call: Int) {
        if let fullCall {
            let inverse = 1 / Float(call - fullCall)
            let (before, last, f, g) = (newest.values, full.values, change.values, fullChange.values)
            for i in 0..<value.count {
                f[i] = value[i] - before[i]
                g[i] = (value[i] - last[i]) * inverse
            }
        }
        _ = newest.values.update(fromContentsOf: value)
        _ = full.values.update(fromContentsOf: value)
        fullCall = call
    }

    func write(at call: Int, to output: UnsafeMutableBufferPointer<Float>) {
        let value = newest.values
        if let fullCall, call - fullCall <= horizon {
            let (f, g) = (change.values, fullChange.values)
            for i in 0..<value.count {
                f[i] = (f[i] + g[i]) / 2
                value[i] += f[i]
            }
        }
        _ = output.update(fromContentsOf: value)
    }
}
