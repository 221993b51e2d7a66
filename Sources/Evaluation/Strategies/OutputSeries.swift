import Caching
import Compute
import Sampling

/// The outputs of the calibration images' full runs, as the quantity that is forecast.
struct OutputSeries {
    /// One branch of one image: the quantity at each call.
    private let calls: [ModelCall]
    private let series: [(branch: GuidanceBranches, values: [[Float]])]

    init(_ context: StrategyContext, quantity: ForecastQuantity) throws {
        calls = context.calls
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
    func error(of forecaster: Forecaster, plan: ReusePlan, at call: Int) -> Double {
        series.reduce(0) { sum, one in
            let terms = forecaster.terms(for: one.branch, at: call, of: calls, plan: plan)
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

    /// The inner products of the outputs of every two calls, (calls, calls), summed over branches and images.
    func products() -> Matrix {
        let calls = calls.count
        var products = Matrix(rows: calls, columns: calls)
        for one in series {
            for i in 0..<calls {
                for j in 0...i {
                    // Lanes of single precision, over few enough elements that it does not show.
                    let product = stride(from: 0, to: one.values[i].count, by: 256).reduce(0.0) { sum, start in
                        let range = start..<min(start + 256, one.values[i].count)
                        return sum + Double(range.reduce(Float(0)) { $0 + one.values[i][$1] * one.values[j][$1] })
                    }
                    products[i, j] += product
                    if i != j { products[j, i] += product }
                }
            }
        }
        return products
    }

    /// The relative L1 change of the output at every call from so many calls before, averaged over branches and images;
    /// 0 where there is none.
    ///
    /// - Parameter longest: The longest distance.
    /// - Returns: [distance − 1][call].
    func changes(longest: Int) -> [[Double]] {
        (1...max(1, longest)).map { distance in
            calls.indices.map { call in
                guard call >= distance else { return 0 }
                return series.reduce(0) { sum, one in
                    sum
                        + one.values[call - distance].withUnsafeBufferPointer { before in
                            one.values[call].withUnsafeBufferPointer { AbsoluteSums(before, $0).relative }
                        }
                } / Double(series.count)
            }
        }
    }

    /// |h − forecast|₁ of every call from every two earlier calls, by the line through those two.
    ///
    /// - Parameter longest: The longest distance between two full calls.
    /// - Returns: The errors, summed over branches and images.
    func gapCosts(longest: Int) -> GapCosts {
        let calls = series[0].values.count
        var costs = GapCosts(calls: calls, longest: longest)
        var forecast = [Float](repeating: 0, count: series[0].values[0].count)
        for one in series {
            for call in 1..<calls {
                for previous in max(0, call - longest)..<call {
                    for reused in stride(from: call + 1, to: min(calls, call + longest), by: 1) {
                        let slope = Float(reused - call) / Float(call - previous)
                        Self.extend(one.values[previous], one.values[call], by: slope, into: &forecast)
                        let error = forecast.withUnsafeBufferPointer { forecast in
                            one.values[reused].withUnsafeBufferPointer { AbsoluteSums(forecast, $0).difference }
                        }
                        costs.add(error, previous: previous, call: call, reused: reused)
                    }
                }
            }
        }
        return costs
    }

    /// result = b + slope (b − a)
    private static func extend(_ a: [Float], _ b: [Float], by slope: Float, into result: inout [Float]) {
        for i in result.indices { result[i] = b[i] + slope * (b[i] - a[i]) }
    }
}

/// The errors of filling gaps between full calls, as sums over the calls in the gap.
struct GapCosts {
    private let longest: Int
    private var errors: [Double]  // by call, its distance from the one before, and that of the reused one from it

    init(calls: Int, longest: Int) {
        self.longest = longest
        errors = Array(repeating: 0, count: calls * longest * longest)
    }

    mutating func add(_ error: Double, previous: Int, call: Int, reused: Int) {
        errors[index(previous, call, reused)] += error
    }

    /// The cost of the gap between `call` and `next`, forecast from `previous` and `call`.
    func cost(previous: Int, call: Int, next: Int) -> Double {
        (call + 1..<next).reduce(0) { $0 + errors[index(previous, call, $1)] }
    }

    private func index(_ previous: Int, _ call: Int, _ reused: Int) -> Int {
        (call * longest + call - previous - 1) * longest + reused - call - 1
    }
}
