import Pipeline

/// A strategy that has broken the one promise that every strategy makes.
public enum ComparisonError: Error, Equatable, Sendable {
    /// An image has cost more than the budget.
    case overBudget(strategy: String, item: SampleItem, spent: Double, allowed: Int)
}

extension ComparisonError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .overBudget(let strategy, let item, let spent, let allowed):
            "\(strategy) has spent \(spent) evaluations where the budget allows \(allowed) (\(item.condition), seed "
                + "\(item.seed)); please report it, and leave \(strategy) out of --strategies"
        }
    }
}
