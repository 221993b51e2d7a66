import Caching
import Sampling
import Testing

@Suite struct MaskPlannerTests {
    @Test(arguments: ["1,0,0,1", "1001", "FRRF", "frrf", "█··█", "1, 0, 0, 1", "FRRF/FRRF"])
    func `a mask is followed`(text: String) throws {
        let plan = try MaskPlanner(text).plan(Runs.request(4))
        #expect(plan == ReusePlan(steps: [true, false, false, true], branches: Runs.guided))
    }

    @Test func `two rows decide for each branch`() throws {
        let plan = try MaskPlanner("FFRF/FRRF").plan(Runs.request(4))
        #expect(plan.fullCalls(of: .conditional) == [0, 1, 3])
        #expect(plan.fullCalls(of: .unconditional) == [0, 3])
        #expect(plan.evaluations == 5)
    }

    @Test(arguments: [
        ("101", "4"), ("10101", "4"), ("1x01", "'x'"), ("1001/1001/1001", "3 rows"), ("0111", "first"),
        ("1001/0001", "first"), ("", "4"),
    ])
    func `a mask that cannot be followed is refused`(text: String, hint: String) throws {
        let request = try Runs.request(4)
        let error = try #require(throws: PlanError.self) { try MaskPlanner(text).plan(request) }
        #expect("\(error)".contains(hint), "\(error)")
    }

    @Test func `a mask keeps budget, limits and branches, or is refused`() throws {
        let mask = try MaskPlanner("1100011")
        #expect(throws: PlanError.self) { try mask.plan(Runs.request(7, budget: 0.5)) }
        #expect(try mask.plan(Runs.request(7, budget: 0.58)).evaluations == 8)
        let cap = try ReuseLimits(window: 0...1, longestReuse: 2)
        #expect(throws: PlanError.self) { try mask.plan(Runs.request(7, limits: cap)) }
        let window = try ReuseLimits(window: 0.5...1, longestReuse: nil)
        #expect(throws: PlanError.self) { try mask.plan(Runs.request(7, limits: window)) }
        #expect(throws: PlanError.self) {
            try MaskPlanner("1100011/1100011").plan(Runs.request(7, branches: .conditional))
        }
        #expect(try mask.plan(Runs.request(7, branches: .conditional)).evaluations == 4)
    }
}
