import Sampling
import Testing

@testable import Caching

/// Plans that differ by one evaluation.
@Suite struct ReusePlanNeighboursTests {
    private static let both: GuidanceBranches = [.conditional, .unconditional]

    @Test func `neighbours spend as much, differ at two calls beside each other, and keep the first call`() {
        let plan = ReusePlan(
            evaluated: [Self.both, [], Self.both, .conditional, [], .unconditional], branches: Self.both)
        let neighbours = plan.neighbours
        #expect(!neighbours.isEmpty && Set(neighbours.map(\.evaluated.description)).count == neighbours.count)
        for neighbour in neighbours {
            #expect(neighbour.evaluations == plan.evaluations && neighbour.evaluated[0] == Self.both)
            let changed = plan.evaluated.indices.filter { plan.evaluated[$0] != neighbour.evaluated[$0] }
            #expect(changed.count == 2 && changed[1] == changed[0] + 1, "\(changed)")
        }
        // Both branches together, one alone, and one into a call where only the other one is evaluated.
        #expect(neighbours.contains { $0.evaluated[1] == Self.both && $0.evaluated[2].isEmpty })
        #expect(neighbours.contains { $0.evaluated[1] == .unconditional && $0.evaluated[2] == .conditional })
        #expect(neighbours.contains { $0.evaluated[2] == .conditional && $0.evaluated[3] == Self.both })
    }

    @Test func `an unguided plan moves its one branch`() {
        let plan = ReusePlan(steps: [true, false, true, false], branches: .conditional)
        #expect(
            plan.neighbours.map(\.evaluated) == [
                [.conditional, .conditional, [], []], [.conditional, [], [], .conditional],
            ])
    }
}
