import Caching
import Sampling
import TestSupport
import Testing

@Suite struct PlannerTests {
    private static func planners(_ count: Int, seed: UInt64) -> [any Planner] {
        [
            UniformPlanner(), CurvaturePlanner(curvature: Runs.series(count, seed: seed)),
            LatePlanner(change: Runs.series(count, seed: seed + 1)),
        ]
    }

    private static let limits: [(Double, Double, Int?)] = [
        (0, 1, nil), (0.2, 1, nil), (0, 0.8, nil), (0.13, 0.77, 3), (0, 1, 1), (0, 1, 4), (0.5, 0.55, 2),
        (0.3, 0.3, nil),
    ]

    @Test(arguments: [8, 9, 10, 17, 25, 31, 50, 60], limits)
    func `no plan exceeds its budget, begins with reuse, or leaves window and cap`(
        steps: Int, limit: (start: Double, end: Double, cap: Int?)
    ) throws {
        let limits = try ReuseLimits(window: limit.start...limit.end, longestReuse: limit.cap)
        for (index, branches) in [Runs.guided, .conditional].enumerated() {
            for percent in stride(from: 100, through: 10, by: -3) {
                let request = try Runs.request(
                    steps, budget: Double(percent) / 100, branches: branches, limits: limits)
                for planner in Self.planners(steps, seed: UInt64(percent + 1000 * index)) {
                    do {
                        let plan = try planner.plan(request)
                        try #require(plan.calls == steps && plan.branches == branches)
                        try #require(plan.evaluations == request.fullCalls * branches.count)
                        try #require(plan.evaluated[0] == branches)
                        try limits.check(plan)
                    } catch PlanError.budgetTooSmall(let name, let smallest, let total) {
                        try #require(name == planner.name && total == steps * branches.count)
                        try #require(smallest > request.fullCalls * branches.count)
                    }
                }
            }
        }
    }

    @Test(arguments: [8, 23, 50], limits)
    func `the smallest budget that an error names is the smallest that works`(
        steps: Int, limit: (start: Double, end: Double, cap: Int?)
    ) throws {
        let limits = try ReuseLimits(window: limit.start...limit.end, longestReuse: limit.cap)
        let calls = try Runs.calls(steps)
        for planner in Self.planners(steps, seed: 5) {
            let works = (0...2 * steps).map { evaluations in
                let request = PlanRequest(
                    calls: calls, branches: Runs.guided, evaluations: evaluations, limits: limits)
                return (try? planner.plan(request)) != nil
            }
            let first = try #require(works.firstIndex(of: true))
            #expect(works[first...].allSatisfy { $0 })
            let request = PlanRequest(calls: calls, branches: Runs.guided, evaluations: first - 1, limits: limits)
            #expect(throws: PlanError.budgetTooSmall(planner: planner.name, smallest: first, total: 2 * steps)) {
                try planner.plan(request)
            }
        }
    }

    @Test(arguments: [1, 2, 8, 50])
    func `a budget of 1 is the full plan`(steps: Int) throws {
        let request = try Runs.request(steps)
        for planner in Self.planners(steps, seed: 3) {
            #expect(try planner.plan(request) == .full(calls: steps, branches: Runs.guided))
        }
    }

    // MARK: - uniform

    @Test(arguments: [(50, 0.5), (50, 0.2), (50, 0.1), (17, 0.3), (60, 0.9)])
    func `uniform evaluates the first and the last step, with gaps that differ by one at most`(
        steps: Int, budget: Double
    ) throws {
        let full = try UniformPlanner().plan(Runs.request(steps, budget: budget)).fullCalls(of: .conditional)
        #expect(full.first == 0 && full.last == steps - 1)
        let gaps = zip(full, full.dropFirst()).map { $1 - $0 }
        #expect((gaps.max() ?? 0) - (gaps.min() ?? 0) <= 1)
    }

    @Test func `uniform with one full step takes the first`() throws {
        let request = PlanRequest(calls: try Runs.calls(9), branches: .conditional, evaluations: 1)
        #expect(try UniformPlanner().plan(request).fullCalls(of: .conditional) == [0])
    }

    @Test func `uniform spends a window's full steps evenly inside it`() throws {
        let limits = try ReuseLimits(window: 0.2...1, longestReuse: nil)
        let full = try UniformPlanner().plan(Runs.request(50, budget: 0.5, limits: limits)).fullCalls(of: .conditional)
        #expect(Array(full.prefix(10)) == Array(0..<10))
        let gaps = zip(full.dropFirst(9), full.dropFirst(10)).map { $1 - $0 }
        #expect(gaps.max() == 3 && gaps.min() == 2)
    }

    // MARK: - curvature

    @Test(arguments: 0..<20)
    func `curvature never reuses three calls in a row, and spreads reuse over the whole run`(seed: UInt64) throws {
        // A path that straightens out: without stages all reuse would end up late.
        let curvature = zip(Runs.series(50, seed: seed), 0...).map { $0 * 0.1 + 1 / Double($1 + 1) }
        for budget in [0.34, 0.4, 0.5, 0.7] {
            let plan = try CurvaturePlanner(curvature: curvature).plan(Runs.request(50, budget: budget))
            #expect(plan.longestReuse(of: .conditional) <= 2)
            let reused = (0..<50).filter { !plan.isFull(.conditional, at: $0) }
            let share = Double(reused.count) / 5
            for stage in 0..<5 {
                let count = reused.count { (10 * stage..<10 * stage + 10).contains($0) }
                #expect(abs(Double(count) - share) <= 1.5, "stage \(stage) at \(budget)")
            }
        }
    }

    @Test func `curvature reuses the straightest calls of a stage`() throws {
        // Even calls are bent, odd ones straight.
        let curvature = (0..<50).map { $0.isMultiple(of: 2) ? 1.0 : 0.1 }
        let plan = try CurvaturePlanner(curvature: curvature).plan(Runs.request(50, budget: 0.5))
        #expect(plan.fullCalls(of: .conditional) == Array(stride(from: 0, to: 50, by: 2)))
    }

    @Test func `curvature below a third is refused with the smallest budget and the planners that go lower`() throws {
        let error = try #require(throws: PlanError.self) {
            try CurvaturePlanner(curvature: Runs.series(50, seed: 1)).plan(Runs.request(50, budget: 0.2))
        }
        #expect(error == .budgetTooSmall(planner: "curvature", smallest: 34, total: 100))
        for part in ["0.34 ", "34 of 100", "uniform", "path"] { #expect("\(error)".contains(part)) }
    }

    // MARK: - late

    @Test func `late gathers reuse where the change is smallest`() throws {
        let change = (0..<50).map { 1 / Double($0 + 1) }
        let plan = try LatePlanner(change: change).plan(Runs.request(50, budget: 0.5))
        #expect(plan.fullCalls(of: .conditional) == Array(0..<25))
    }

    @Test(arguments: [[1.0, 2], [1, .nan, 1, 1, 1, 1, 1, 1]])
    func `a series of another length, or with holes, is refused`(series: [Double]) throws {
        let request = try Runs.request(8, budget: 0.5)
        #expect(throws: PlanError.self) { try LatePlanner(change: series).plan(request) }
        #expect(throws: PlanError.self) { try CurvaturePlanner(curvature: series).plan(request) }
    }
}
