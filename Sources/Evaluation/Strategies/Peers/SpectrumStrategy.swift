import Caching
import Sampling

/// Spectrum (Han et al., arXiv 2603.01623): forecasts the output as a mixture of the line through the last two full outputs
/// and a ridge regression on Chebyshev polynomials over the run; full calls in windows that grow from one to the next.
///
/// The first window follows from the budget, and full calls that the windows leave over are the run's last ones. How fast
/// the windows grow (published as 0.5 calls per full call), the ridge and the polynomials' share of the mixture (published
/// as 0.4) are those that bring the calibration images nearest to their full runs. Our reading: the output is forecast, not
/// the last block's features.
struct SpectrumStrategy: ReuseStrategy {
    let name = "spectrum"
    /// What the output is taken as.
    var quantity = ForecastQuantity.velocity

    private static let warmUp = 4
    private static let growths = [0.5, 0.25, 0.1, 0]
    private static let ridges = [1, 0.1, 0.01, 0.001]
    private static let shares = [0.4, 0.2, 0.6, 0]

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> PreparedStrategy {
        let (calls, branches) = (context.calls.count, context.branches)
        let allowed = try context.callBudget(budget, reusedBlocks: nil, fewest: 1, name: name)
        func run(_ growth: Double, _ mixture: SpectralMixture) throws -> PreparedStrategy {
            let full = GrowingWindows.full(
                calls: calls, full: allowed.full, warmUp: OnlineSchedule.warmUp(Self.warmUp, full: allowed.full),
                growth: growth)
            let plan = ReusePlan(steps: full, branches: branches)
            let table = try WeightTable(for: plan, depth: SpectralMixture.memory) { call, sources in
                try mixture.weights(of: sources, at: call, calls: calls)
            }
            return PreparedStrategy(plan: plan, forecaster: Forecaster(table, of: quantity), in: context)
        }
        var mixture = SpectralMixture(ridge: Self.ridges[0], share: Self.shares[0])
        guard allowed.full < calls else { return try run(Self.growths[0], mixture) }
        let growth = try context.best(of: Self.growths) { try run($0, mixture) }.setting
        mixture = try context.best(of: Self.ridges.map { SpectralMixture(ridge: $0, share: mixture.share) }) {
            try run(growth, $0)
        }.setting
        let mixtures = Self.shares.map { SpectralMixture(ridge: mixture.ridge, share: $0) }
        return try context.best(of: mixtures) { try run(growth, $0) }.strategy
    }
}

/// Spectrum's forecast, as weights of the last full outputs.
struct SpectralMixture {
    /// The degree of the polynomials.
    static let degree = 3
    /// The most outputs that are fitted to.
    static let memory = 8

    /// The ridge of the regression.
    let ridge: Double
    /// The share of the regression in the mixture; the rest is the line's.
    let share: Double

    /// The weights of the outputs at `sources`, newest first.
    ///
    /// - Throws: ``LinearAlgebraError``.
    func weights(of sources: [Int], at call: Int, calls: Int) throws(LinearAlgebraError) -> [Double] {
        let unknowns = Self.degree + 1
        func basis(_ call: Int) -> [Double] {
            let x = 2 * Double(call) / Double(max(1, calls - 1)) - 1
            var values = [1, x]
            while values.count < unknowns { values.append(2 * x * values[values.count - 1] - values[values.count - 2]) }
            return values
        }
        let fit = try LeastSquares(
            Matrix(rows: sources.count, columns: unknowns, elements: sources.flatMap(basis)), .identity(sources.count),
            ridge: ridge
        ).solution
        let values = Matrix(rows: 1, columns: unknowns, elements: basis(call)) * fit
        var weights = values.elements.map { share * $0 }
        let slope = sources.count > 1 ? Double(call - sources[0]) / Double(sources[0] - sources[1]) : 0
        weights[0] += (1 - share) * (1 + slope)
        if sources.count > 1 { weights[1] -= (1 - share) * slope }
        return weights
    }
}

/// Full calls in windows that grow.
enum GrowingWindows {
    /// Which of `calls` calls are full when `full` of them are: the first `warmUp`, then one at the end of every window. The
    /// first window is as short as the number of full calls allows, each later one longer by `growth`, and lengths are
    /// rounded down. Full calls that are left over are the last ones.
    static func full(calls: Int, full: Int, warmUp: Int, growth: Double) -> [Bool] {
        func windows(from first: Double) -> [Bool] {
            var mask = (0..<calls).map { $0 < warmUp }
            var (window, call) = (first, warmUp - 1)
            while true {
                call += max(1, Int(window))
                guard call < calls else { return mask }
                mask[call] = true
                window += growth
            }
        }
        let first = ThresholdSearch.lowest(from: 2, within: Double(full), step: 1) { first in
            Double(windows(from: first).count { $0 })
        }
        var mask = windows(from: min(first, Double(calls)))
        for call in (0..<calls).reversed() where !mask[call] && mask.count(where: { $0 }) < full { mask[call] = true }
        return mask
    }
}
