import Caching

extension Budget {
    /// The budgets of a list between commas, each a share as a number or in per cent.
    ///
    /// - Throws: `PlanError.budgetOutOfRange` for what is no budget.
    static func list(_ text: String) throws(PlanError) -> [Budget] {
        var budgets: [Budget] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
            guard let share = Share(argument: part) else { throw .budgetOutOfRange(part.isEmpty ? "''" : part) }
            budgets.append(try Budget(share.value))
        }
        return budgets
    }
}
