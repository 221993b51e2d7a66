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
    /// The error that the strategy `name` needs at least so much work.
    func tooSmall(for name: String, least work: Int) -> PlanError {
        .budgetTooSmall(
            planner: name, smallest: Int(price.evaluations(work).rounded(.up)), total: fullEvaluations)
    }

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
        from start: Double, within budget: CallBudget, run: (_ threshold: Double) -> PreparedStrategy
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

/// Turns an online rule's wishes into decisions that keep a budget, call by call.
///
/// The rule rules, but for four things: the first calls are full; what is spent is spent, and from then on everything is
/// reused; one full call is kept for the last one where the rule asks for that; and when what is left is enough for all
/// calls that are left, they are full.
struct OnlineSchedule {
    private let calls: Int
    private let warmUp: Int
    private let keepsLast: Bool
    private var left: Int?

    /// - Parameters:
    ///   - calls: The model calls of the run.
    ///   - full: The most calls that may be full; nil to see what the rule alone would do.
    ///   - warmUp: How many calls are full before the rule is asked, at least 1.
    ///   - keepsLast: Whether the last call is full.
    init(calls: Int, full: Int?, warmUp: Int, keepsLast: Bool) {
        self.calls = calls
        self.warmUp = max(1, warmUp)
        self.keepsLast = keepsLast
        left = full
    }

    /// Whether `call` is full; to be asked once for each call, in order.
    mutating func decides(at call: Int, wanted: Bool) -> Bool {
        let isLast = call == calls - 1
        let wanted = wanted || call < warmUp || (keepsLast && isLast)
        guard let left else { return wanted }
        guard left < calls - call else {
            self.left = left - 1
            return true
        }
        let reserve = keepsLast && !isLast ? 1 : 0
        guard wanted, left > reserve else { return false }
        self.left = left - 1
        return true
    }

    /// A published warm-up, cut to half of the calls that may be full where the budget is smaller than its authors' were.
    static func warmUp(_ published: Int, full: Int) -> Int {
        max(1, min(published, full / 2))
    }
}

/// Full calls at even distances, for rules with a fixed period: any number of them, so distances may differ by one.
enum SpacedCalls {
    /// Which of `calls` calls are full when `full` of them are: the first `warmUp`, and from there on evenly to the last.
    ///
    /// A published period leaves to chance whether the last call is full. Here it is, since the last output is all or most
    /// of the image.
    static func full(calls: Int, full: Int, warmUp: Int = 1) -> [Bool] {
        precondition((1...max(1, calls)).contains(full), "\(full) full calls of \(calls)")
        let start = min(max(1, warmUp), full) - 1
        let gaps = full - start - 1
        var mask = (0..<calls).map { $0 <= start }
        for gap in stride(from: 1, through: gaps, by: 1) { mask[start + gap * (calls - 1 - start) / gaps] = true }
        return mask
    }
}

/// Finds the threshold of a rule from what it may spend: the lower the threshold, the more a rule spends.
struct ThresholdSearch {
    /// The share of the threshold below which a difference between two thresholds does not matter.
    static let precision = 0.01
    /// The widest range of thresholds: any rule of relative changes has spent all or nothing at its ends.
    static let range = 1e-7...1e4

    /// The lowest threshold found that keeps within `limit`.
    ///
    /// Brackets it from `start` outwards, then bisects its logarithm until the two ends are within ``precision``, or what
    /// the upper end leaves is less than `step`.
    ///
    /// - Parameters:
    ///   - start: Where to begin, as published.
    ///   - limit: What may be spent.
    ///   - step: The least by which what is spent can grow.
    ///   - spent: What a threshold spends.
    /// - Returns: The threshold; the upper end of ``range`` when none keeps within the limit.
    static func lowest(
        from start: Double, within limit: Double, step: Double, spent: (_ threshold: Double) throws -> Double
    ) rethrows -> Double {
        var failing = range.lowerBound
        var threshold = start
        var cost = try spent(threshold)
        while cost > limit {
            guard threshold < range.upperBound else { return range.upperBound }
            failing = threshold
            threshold *= 3
            cost = try spent(threshold)
        }
        while failing == range.lowerBound, limit - cost >= step, threshold > range.lowerBound {
            let lower = threshold / 3
            let lowerCost = try spent(lower)
            if lowerCost > limit {
                failing = lower
            } else {
                (threshold, cost) = (lower, lowerCost)
            }
        }
        while limit - cost >= step, threshold / failing > 1 + precision {
            let middle = (threshold * failing).squareRoot()
            let middleCost = try spent(middle)
            if middleCost > limit {
                failing = middle
            } else {
                (threshold, cost) = (middle, middleCost)
            }
        }
        return threshold
    }
}
