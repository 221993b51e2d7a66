import Caching
import Testing

@testable import Pipeline

/// Budgets that are chosen for a time.
@Suite struct BudgetGoalTests {
    private let unknown = QualityCurve(nil)

    @Test func `the largest budget within a time is chosen, and the full run where there is time for it`() throws {
        let half = try unknown.budget(within: 6, evaluation: 0.1, rest: 1, of: 100)
        #expect(half.budget.evaluations(of: 100) == 50 && half.reason.contains("about 6.0 s"))
        #expect(try unknown.budget(within: 11, evaluation: 0.1, rest: 1, of: 100).budget.share == 1)
    }

    @Test(arguments: [-1, 0, .nan, .infinity]) func `what is no time is refused`(seconds: Double) {
        #expect(throws: PipelineError.self) { try unknown.budget(within: seconds, evaluation: 0.1, rest: 0, of: 100) }
    }

    @Test func `a time that is too short is refused with the shortest that there is`() throws {
        let error = #expect(throws: PipelineError.self) {
            try unknown.budget(within: 1.5, evaluation: 0.1, rest: 1, of: 100)
        }
        #expect(error?.description.contains("the least, 10 of 100 evaluations, takes about 2.0 s") == true)
    }
}
