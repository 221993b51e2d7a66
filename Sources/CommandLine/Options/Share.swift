import ArgumentParser
import Caching

/// A share, as a number or in per cent: 0.5 or 50%.
struct Share: ExpressibleByArgument {
    let value: Double

    init(_ value: Double) { self.value = value }

    init?(argument: String) {
        var number = argument[...]
        guard number.last == "%" else {
            guard let value = Double(argument) else { return nil }
            self.value = value
            return
        }
        number = number.dropLast()
        while number.last == " " { number = number.dropLast() }
        // 29% is the very number that 0.29 is.
        guard let value = Double(number + "e-2") ?? Double(number).map({ $0 / 100 }) else { return nil }
        self.value = value
    }
}

extension Budget {
    /// The budgets of a list that is separated by commas.
    ///
    /// - Throws: `PlanError.budgetOutOfRange` if one is not a budget.
    static func list(_ text: String) throws(PlanError) -> [Budget] {
        var budgets: [Budget] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
            guard let share = Share(argument: part) else { throw .budgetOutOfRange(part.isEmpty ? "''" : part) }
            budgets.append(try Budget(share.value))
        }
        return budgets
    }
}
