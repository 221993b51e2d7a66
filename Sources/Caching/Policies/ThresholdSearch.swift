/// Finds the threshold of a rule from what it may spend: the lower the threshold, the more a rule spends.
public struct ThresholdSearch: Sendable {
    /// The share of the threshold below which a difference between two thresholds does not matter.
    public static let precision = 0.01
    /// The widest range of thresholds: any rule of relative changes has spent all or nothing at its ends.
    public static let range = 1e-7...1e4

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
    public static func lowest(
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
