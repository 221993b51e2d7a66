import Sampling
import Testing

@testable import Caching

@Suite struct PathPlannerTests {
    private static func calibration(_ steps: Int, scale: Double = 3) throws -> (Calibration, [ModelCall]) {
        let measured = try GaussianCalibration(GaussianRun(type: .sample, steps: steps, scale: scale), seeds: 1..<3)
        return (measured.calibration, measured.references[0].calls)
    }

    /// Every subset of `count` calls with the first one.
    private static func plans(_ calls: Int, _ count: Int) -> [[Bool]] {
        (0..<(1 << (calls - 1))).filter { $0.nonzeroBitCount == count - 1 }
            .map { bits in (0..<calls).map { $0 == 0 || bits >> ($0 - 1) & 1 == 1 } }
    }

    @Test(arguments: 2...5)
    func `dynamic programming finds the cheapest plan of all`(count: Int) throws {
        let (calibration, calls) = try Self.calibration(9)
        let cost = PlanCost(calibration, objective: .image, calls: calls)
        // The search's costs look back on two full calls.
        func total(_ plan: [Bool]) -> Double {
            var (last, before): (Int, Int?) = (0, nil)
            return plan.indices.dropFirst().reduce(0.0) { sum, call in
                guard !plan[call] else {
                    (before, last) = (last, call)
                    return sum
                }
                return sum + cost.cost(at: call, last: last, before: before)
            }
        }
        let rules = PlanRules(PlanRequest(calls: calls, branches: Runs.guided, evaluations: 2 * count))
        let found = try #require(JointPlanSearch(cost: cost, rules: rules).best(count))
        let best = try #require(Self.plans(9, count).map(total).min())
        #expect(found.count { $0 } == count)
        #expect(abs(total(found) - best) <= 1e-9 * best)
    }

    @Test func `there is a plan where limits leave room for one long gap alone`() throws {
        let (calibration, calls) = try Self.calibration(100)
        // The first 30 calls may be reused, all others are evaluated.
        let request = PlanRequest(
            calls: calls, branches: Runs.guided, evaluations: 142,
            limits: try ReuseLimits(window: 0...0.3, longestReuse: nil))
        let plan = try PathPlanner(calibration: calibration).plan(request)
        #expect(plan.evaluations <= 142 && plan.evaluated[30...].allSatisfy { $0 == Runs.guided })
    }

    @Test(arguments: [10, 17], [1.0, 3.0])
    func `no plan of the calibrated planners breaks the budget or the limits`(steps: Int, scale: Double) throws {
        let (calibration, calls) = try Self.calibration(steps, scale: scale)
        let branches = calibration.gram.branches
        let planners: [any Planner] = [
            PathPlanner(calibration: calibration), PathPlanner(calibration: calibration, objective: .path),
            BalancedPlanner(calibration: calibration),
        ]
        let limits = try [ReuseLimits(), ReuseLimits(window: 0.2...0.9, longestReuse: 2)]
        for planner in planners {
            for limits in limits {
                for share in stride(from: 0.1, through: 1.0, by: 0.1) {
                    let request = PlanRequest(
                        calls: calls, branches: branches,
                        evaluations: try Budget(share).evaluations(of: steps * branches.count), limits: limits)
                    guard let plan = try? planner.plan(request) else {
                        #expect(limits != ReuseLimits(), "\(planner.name) makes no plan at \(share)")
                        continue
                    }
                    #expect(plan.evaluations <= request.evaluations)
                    #expect(plan.evaluated[0] == branches)
                    for call in calls.indices where !limits.allowsReuse(at: call, of: steps) {
                        #expect(plan.evaluated[call] == branches)
                    }
                    #expect(plan.longestReuse(of: .conditional) <= limits.longestReuse ?? steps)
                }
            }
        }
    }

    @Test func `moving evaluations never makes a plan dearer, and spends the whole budget`() throws {
        let (calibration, calls) = try Self.calibration(16)
        let cost = PlanCost(calibration, objective: .image, calls: calls)
        for evaluations in [9, 12, 20, 27] {
            let request = PlanRequest(calls: calls, branches: Runs.guided, evaluations: evaluations)
            let rules = PlanRules(request)
            let start = try #require(JointPlanSearch(cost: cost, rules: rules).best(evaluations / 2))
            var exchange = PlanExchange(cost: cost, rules: rules, start: start, branches: Runs.guided)
            exchange.improve(evaluations: evaluations)
            #expect(exchange.plan.evaluations == evaluations)
            let joint = cost.cost(of: ReusePlan(steps: start, branches: Runs.guided))
            #expect(cost.cost(of: exchange.plan) <= joint * (1 + 1e-9))
        }
    }

    @Test func `a calibration for another run makes no plan`() throws {
        let (calibration, _) = try Self.calibration(10)
        #expect(throws: PlanError.self) {
            try PathPlanner(calibration: calibration).plan(Runs.request(12, budget: 0.5))
        }
        let unguided = try Runs.request(10, budget: 0.5, branches: .conditional)
        #expect(throws: PlanError.self) { try BalancedPlanner(calibration: calibration).plan(unguided) }
    }

    @Test func `planning 50 guided steps takes less than a second`() throws {
        let (calibration, calls) = try Self.calibration(50)
        let clock = ContinuousClock()
        let request = PlanRequest(calls: calls, branches: Runs.guided, evaluations: 50)
        let times = try (0..<3).map { _ in
            try clock.measure { _ = try PathPlanner(calibration: calibration).plan(request) }
        }
        let fastest = try #require(times.min())
        #expect(fastest < .seconds(1))
    }
}
