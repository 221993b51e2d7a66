import OmniCache
import Sampling
import Tensor

/// The outputs of the calibration images' full runs, as the quantity that is forecast.
struct OutputSeries {
    /// One branch of one image: the quantity at each call.
    private let series: [(branch: GuidanceBranches, values: [[Float]])]

    init(_ context: StrategyContext, quantity: ForecastQuantity) throws {
        let type = context.directory.process.predictionType
        let sums = context.calls.map { quantity.sum(of: type, at: $0.level) }
        series = try context.recorded().flatMap { run in
            run.outputs[0].indices.map { entry in
                let values = sums.enumerated().map { call, sum in
                    zip(run.states[call], run.outputs[call][entry]).map {
                        Float(sum.state) * $0 + Float(sum.output) * $1
                    }
                }
                return (entry == 0 ? .conditional : .unconditional, values)
            }
        }
    }

    /// The sum of squares by which a forecast from the true outputs misses the true output.
    func error(of forecaster: some Forecaster, plan: ReusePlan, at call: Int) -> Double {
        let history = OutputHistory(of: plan, at: call, depth: forecaster.depth)
        return series.reduce(0) { sum, one in
            let terms = forecaster.terms(for: one.branch, at: call, history: history)
            let (truth, sources) = (one.values[call], terms.map { one.values[$0.call] })
            let weights = terms.map { Float($0.weights[0]) }
            return sum
                + truth.indices.reduce(0.0) { sum, i in
                    var difference = truth[i]
                    for (weight, source) in zip(weights, sources) { difference -= weight * source[i] }
                    return sum + Double(difference * difference)
                }
        }
    }

    /// |h − forecast|₁ of every call from every two earlier calls, by the line through those two.
    func gapCosts() -> GapCosts {
        let calls = series[0].values.count
        var costs = GapCosts(calls: calls)
        let count = series[0].values[0].count
        let (forecast, zero) = (Tensor([count]), Tensor([count]))
        withExtendedLifetime((forecast, zero)) {
            for one in series {
                for previous in 0..<calls {
                    for call in stride(from: previous + 1, to: calls, by: 1) {
                        for reused in stride(from: call + 1, to: calls, by: 1) {
                            let slope = Float(reused - call) / Float(call - previous)
                            one.values[previous].withUnsafeBufferPointer { f in
                                one.values[call].withUnsafeBufferPointer { g in
                                    let result = forecast.values
                                    for i in 0..<count { result[i] = g[i] + slope * (g[i] - f[i]) }
                                }
                            }
                            let error = one.values[reused].withUnsafeBufferPointer {
                                AbsoluteSums(UnsafeBufferPointer(forecast.values), $0).difference
                            }
                            costs.add(error, previous: previous, call: call, reused: reused)
                        }
                    }
                }
            }
        }
        return costs
    }
}

/// The error of filling gaps between full calls, as sums over the calls in the gap.
struct GapCosts {
    private let calls: Int
    private var errors: [Double]  // (previous, call, reused)

    init(calls: Int) {
        self.calls = calls
        errors = Array(repeating: 0, count: calls * calls * calls)
    }

    mutating func add(_ error: Double, previous: Int, call: Int, reused: Int) {
        errors[(previous * calls + call) * calls + reused] += error
    }

    /// The cost of the gap between `call` and `next`, forecast from `previous` and `call`.
    func cost(previous: Int, call: Int, next: Int) -> Double {
        (call + 1..<next).reduce(0) { $0 + errors[(previous * calls + call) * calls + $1] }
    }
}
