import Caching

/// L²P (Shen et al., arXiv 2604.26365): forecasts each reused output as the weighted sum of the last full outputs whose
/// weights, call by call, fit the outputs of stored full runs best.
///
/// Published with gradient descent on 50 runs; here the same least squares are solved at once, on the calibration images,
/// with a small ridge towards holding the last output. Our reading: the output is forecast, not the last block's features,
/// and branches share their weights. How many outputs a forecast looks back on, and whether the full calls are even, as
/// published, or DPCache's, bring the calibration images nearest to their full runs.
struct L2PStrategy: ReuseStrategy {
    let name = "l2p"
    /// What the output is taken as.
    var quantity = ForecastQuantity.velocity

    private static let warmUp = 2
    private static let depths = [3, 2, 4, 5]

    func prepare(_ budget: Budget, in context: StrategyContext) throws -> PreparedStrategy {
        let (calls, branches) = (context.calls.count, context.branches)
        let allowed = try context.callBudget(budget, reusedBlocks: nil, fewest: 1, name: name)
        let even = ReusePlan(
            steps: SpacedCalls.full(calls: calls, full: allowed.full, warmUp: Self.warmUp), branches: branches)
        guard allowed.full < calls else {
            return PreparedStrategy(plan: even, forecaster: .hold(quantity: quantity), in: context)
        }
        let series = try OutputSeries(context, quantity: quantity)
        let fit = LinearPredictorFit(products: series.products())
        func run(_ plan: ReusePlan, depth: Int) throws -> PreparedStrategy {
            let table = try WeightTable(for: plan, depth: depth) { call, sources in
                try fit.weights(of: sources, at: call)
            }
            return PreparedStrategy(plan: plan, forecaster: Forecaster(table, of: quantity), in: context)
        }
        let plans = [even, DPCacheStrategy.plan(full: allowed.full, by: series, in: context)].compactMap { $0 }
        let plan = try context.best(of: plans) { try run($0, depth: Self.depths[0]) }.setting
        return try context.best(of: Self.depths) { try run(plan, depth: $0) }.strategy
    }
}

/// The least squares of L²P.
struct LinearPredictorFit {
    /// The ridge, relative to the mean energy of the differences that are weighted.
    private static let ridge = 1e-5

    /// The inner products of the outputs of every two calls.
    let products: Matrix

    /// The weights of the outputs at `sources`, newest first, whose sum is nearest to the output at `call`.
    ///
    /// - Throws: ``LinearAlgebraError``.
    func weights(of sources: [Int], at call: Int) throws(LinearAlgebraError) -> [Double] {
        // What is left when the newest is held is fitted by all of them.
        let right = sources.map { products[$0, call] - products[$0, sources[0]] }
        var normal = Matrix(
            rows: sources.count, columns: sources.count,
            elements: sources.flatMap { i in sources.map { j in products[i, j] } })
        let energy = sources.reduce(0) { $0 + products[$1, $1] } / Double(sources.count)
        for i in sources.indices { normal[i, i] += Self.ridge * energy }
        let solution = try LeastSquares(normal, Matrix(rows: sources.count, columns: 1, elements: right)).solution
        return solution.elements.enumerated().map { $0.offset == 0 ? 1 + $0.element : $0.element }
    }
}
