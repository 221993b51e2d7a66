import Caching
import Testing

@Suite struct BudgetTests {
    @Test(arguments: [(0.29, 100, 29), (0.5, 100, 50), (0.33, 100, 33), (0.1, 99, 9), (1, 99, 99), (0.57, 100, 57)])
    func `a budget is floored as the decimal that was written`(share: Double, total: Int, expected: Int) throws {
        #expect(try Budget(share).evaluations(of: total) == expected)
    }

    @Test(arguments: [0, -0.1, 1.0001, .nan, .infinity])
    func `a budget outside (0, 1] is refused`(share: Double) {
        #expect(throws: PlanError.self) { try Budget(share) }
    }
}
