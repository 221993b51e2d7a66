import Sampling
import Testing

@testable import Caching

@Suite struct SearchedPlannerTests {
    private static let branches: GuidanceBranches = [.conditional, .unconditional]

    private static func plan(_ full: Int) -> ReusePlan {
        ReusePlan(steps: (0..<10).map { $0 < full - 1 || $0 == 9 }, branches: branches)
    }

    private static func choice(_ full: Int, errors: [Double] = [0.1]) -> PlanChoice {
        PlanChoice(evaluations: 2 * full, plan: plan(full), errors: errors)
    }

    private static func calibration(_ choices: [PlanChoice]) throws -> (Calibration, [ModelCall]) {
        let measured = try GaussianCalibration(GaussianRun(type: .sample, steps: 10, scale: 3), seeds: 1..<2)
        return (measured.calibration.choosing(choices), measured.references[0].calls)
    }

    @Test func `the plan is the one that was chosen for as many evaluations, and no other`() throws {
        let (calibration, calls) = try Self.calibration([Self.choice(5), Self.choice(3)])
        let planner = SearchedPlanner(calibration: calibration)
        func request(_ evaluations: Int, _ limits: ReuseLimits = ReuseLimits()) -> PlanRequest {
            PlanRequest(calls: calls, branches: Self.branches, evaluations: evaluations, limits: limits)
        }
        #expect(try planner.plan(request(10)) == Self.plan(5))
        #expect(try planner.plan(request(6)) == Self.plan(3))
        #expect(try planner.plan(request(20)) == .full(calls: 10, branches: Self.branches))
        #expect(throws: PlanError.self) { try planner.plan(request(8)) }
        #expect(!planner.hasPlan(for: request(8)) && planner.hasPlan(for: request(10)))
        // The plan of 5 reuses calls 4 to 8.
        #expect(!planner.hasPlan(for: request(10, try ReuseLimits(window: 0...1, longestReuse: 4))))
        #expect(planner.hasPlan(for: request(10, try ReuseLimits(window: 0...1, longestReuse: 5))))
    }

    @Test func `a choice takes the place of an older one for as many evaluations`() throws {
        let (calibration, _) = try Self.calibration([Self.choice(5), Self.choice(3)])
        let newer = PlanChoice(evaluations: 10, plan: Self.plan(4), errors: [0.2])
        #expect(calibration.choosing([newer]).choices == [newer, Self.choice(3)])
    }

    @Test func `one image that turns into another weighs as much as several that lose a little`() {
        let score = PlanChoice.score(of:)
        #expect(score([0.004, 0.004, 0.004, 0.004]) < score([0.5, 0.002, 0.002, 0.002]))
        #expect(score([0.5, 0.002, 0.002, 0.002]) < score([0.1, 0.1, 0.1, 0.1]))
        // Below what a picture of 8 bits shows, nothing is gained.
        #expect(score([0.1, 1e-9]) == score([0.1, 1e-4]))
        #expect(score([1e-9]) == -3)
    }

    @Test func `a gain to the power of 0 trusts in nothing, and of 1 changes nothing`() throws {
        let (calibration, _) = try Self.calibration([])
        #expect(calibration.raisingGain(to: 1) == calibration)
        #expect(calibration.raisingGain(to: 0).stateGain.allSatisfy { $0 == 1 })
    }
}
