import Caching

/// What a budget allows to a strategy whose calls are either full or reused at one price.
struct CallBudget {
    /// The evaluations that may be spent.
    let evaluations: Int
    /// The calls that can be full.
    let full: Int
    /// By how many evaluations a full call is dearer than a reused one.
    let step: Double
}

extension StrategyContext {
    /// What `budget` allows when a reused call runs `blocks` blocks.
    ///
    /// - Parameters:
    ///   - budget: the budget.
    ///   - blocks: the blocks that a reused call runs; nil when it does not ask the network at all.
    ///   - fewest: the fewest full calls that the strategy's rules allow.
    ///   - name: the strategy's name.
    /// - Returns: the calls that can be full, and what they cost.
    /// - Throws: ``PlanError/budgetTooSmall(planner:smallest:total:)``.
    func callBudget(
        _ budget: Budget, reusedBlocks blocks: Int?, fewest: Int, name: String
    ) throws(PlanError) -> CallBudget {
        guard blocks == nil || !network.layers.isEmpty else {
            throw .doesNotFit(
                "\(name) reuses layers of the network, and this one has none that can be reused; choose another strategy"
            )
        }
        let evaluations = budget.evaluations(of: fullEvaluations)
        let reused = blocks.map { price.call(blocks: $0) } ?? 0
        let full = price.fullCalls(of: calls.count, within: evaluations, reused: reused)
        let fewest = min(fewest, calls.count)
        guard full >= fewest else {
            throw .budgetTooSmall(
                planner: name, smallest: price.smallest(full: fewest, of: calls.count, reused: reused),
                total: fullEvaluations)
        }
        return CallBudget(
            evaluations: evaluations, full: full, step: price.evaluations(price.fullCall - reused))
    }

    /// The lowest threshold under which no calibration image costs more than the budget.
    ///
    /// - Parameters:
    ///   - start: the published threshold.
    ///   - budget: what may be spent.
    ///   - run: the strategy with a threshold and nothing to hold it back.
    /// - Returns: the threshold.
    /// - Throws: ``PlanError/needsCalibration(_:)``, or what keeps an image from being sampled.
    func threshold(
        from start: Double, within budget: CallBudget, run: (_ threshold: Double) -> any PreparedStrategy
    ) throws -> Double {
        guard budget.full < calls.count else { return start }
        guard !items.isEmpty else { throw needsItems }
        let limit = Double(budget.evaluations)
        return try ThresholdSearch.lowest(from: start, within: limit, step: budget.step) { threshold in
            var most = 0.0
            for item in items where most <= limit {
                let prepared = run(threshold)
                try sample(item, goesOn: { prepared.evaluationsSpent <= limit }, wrap: prepared.wrap)
                most = max(most, prepared.evaluationsSpent)
            }
            return most
        }
    }
}
